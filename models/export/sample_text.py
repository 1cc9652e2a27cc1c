"""Sentences written for this project: what the small tokenizers are trained on, and what the gate scores.

English and Chinese, with the punctuation, digits and accents that make tokenizers differ.
"""

QUERIES = [
    "how many people live in Berlin",
    "what makes bread rise",
    "城市里的河流为什么重要",
    "which animals sleep in winter",
    "how does a sailing boat move against the wind",
    "怎样保存新鲜的蔬菜",
]

DOCUMENTS = [
    "Berlin has about 3.8 million inhabitants and is the largest city of Germany by population.",
    "Berlin is well known for its museums, its lakes and its long winter evenings.",
    "The number of people who live in a city is counted every ten years in a census.",
    "Hamburg, the second largest city, lies on the river Elbe and has a large harbour.",
    "Yeast eats the sugar in the dough and gives off a gas; the gas makes the bread rise.",
    "A loaf of bread needs flour, water, salt and time.",
    "Baking soda reacts with acid, so pancakes rise without yeast.",
    "In the café they serve crème brûlée and naïve jokes at 7:30 p.m.",
    "Bears, hedgehogs and some bats sleep through the winter and live on their fat.",
    "Swallows fly south in autumn because insects are rare in the cold months.",
    "The dormouse may sleep for seven months of the year.",
    "Cats sleep fourteen hours a day in summer and in winter alike.",
    "A sailing boat can move against the wind by tacking: it turns from side to side at an angle.",
    "The keel keeps the boat from drifting sideways, and the sail works like a wing.",
    "Wind turbines turn the movement of the air into electric power.",
    "A motor boat uses an engine, so the direction of the wind matters little.",
    "河流为城市提供饮用水，也是重要的运输道路。",
    "很多古老的城市都建在河边，因为水路让贸易变得容易。",
    "下雨以后，河水会变得很高，人们要注意安全。",
    "山上的湖泊在冬天会结冰。",
    "新鲜的蔬菜应该放在冰箱里，用纸包好，可以保存一个星期。",
    "胡萝卜和土豆要放在阴凉、干燥的地方。",
    "把蔬菜洗干净以后再切，味道会更好。",
    "面包放在袋子里，两三天就会变硬。",
    "The library opens at nine o'clock and closes at six, except on Sundays.",
    "He's sure they'll find the key; it wasn't in the drawer (number 42-B).",
    "Prices rose by 12.5 % in 1998 and fell again in 2003.",
    "The train from platform 9 leaves at 10:45 and arrives before noon.",
    "熊和刺猬在冬天睡觉，春天才醒来。",
    "柏林是德国最大的城市，大约有三百八十万人口。",
    "An old map shows the walls of the town, its gates and the bridge over the river.",
    "Rain fell on the harbour all night, and nobody slept before the morning came.",
]

LONG_DOCUMENT = " ".join(DOCUMENTS[:16])

TRAINING_LINES = QUERIES + DOCUMENTS
