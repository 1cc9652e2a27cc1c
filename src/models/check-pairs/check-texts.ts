/**
 * Texts on which the precisions of a model are compared: a question with a text that answers it, one on the same
 * subject that does not, and one about something else. Several languages; short, and as long as a pair may be.
 */
export interface CheckTexts {
  readonly query: string;
  readonly answer: string;
  readonly near: string;
  readonly other: string;
}

/** What was measured on other texts is measured again: a hash of them is part of its key. */
export const CHECK_TEXTS: readonly CheckTexts[] = [
  {
    query: "How is flour made from wheat?",
    answer:
      "Wheat is cleaned, moistened and ground between rollers. The flour is then sifted from the bran, and what is left on the sieve is ground again.",
    near: "Wheat is sown in autumn or in spring. Winter wheat needs some weeks of cold before it flowers, and gives the larger harvest.",
    other:
      "The night train to Lisbon leaves from platform four at ten past nine. Seats must be reserved a day ahead.",
  },
  {
    query: "why does my bicycle chain skip under load",
    answer:
      "A chain that skips when you push hard has usually stretched, or the teeth of the sprocket are worn to hooks. Replace both together; a new chain on an old cassette skips as well.",
    near: "Clean the chain with a brush and a degreaser, dry it, put one drop of oil on each roller and wipe off the rest.",
    other:
      "Parliament passed the budget after midnight, with a majority of two votes and eleven abstentions.",
  },
  {
    query: "What is the boiling point of water at 3,000 m above sea level?",
    answer:
      "At an altitude of 3000 metres the pressure is about 70 kPa, and water boils at roughly 90 °C instead of 100 °C.",
    near: "Water freezes at 0 °C at any altitude that people live at, since pressure changes the melting point very little.",
    other:
      'def boil(kettle): return kettle.fill(0.7).heat(until=100)  # TODO: see issue "kettle-17"',
  },
  {
    query: "side effects of ibuprofen",
    answer:
      "Common adverse effects of ibuprofen are nausea, heartburn and headache. Stomach bleeding and kidney damage are rare and more likely with high doses or in older people.",
    near: "Ibuprofen was patented in 1961 by a British company whose chemists had looked for a safer aspirin for ten years.",
    other:
      "Violins have four strings, tuned in fifths: G, D, A and E. The bow is strung with horsehair.",
  },
  {
    query: "Wie lange darf man gekochten Reis im Kühlschrank aufbewahren?",
    answer:
      "Gekochter Reis hält sich im Kühlschrank ein bis zwei Tage, wenn er innerhalb einer Stunde nach dem Kochen abgekühlt wird. Danach können sich Bakterien vermehren.",
    near: "Reis wird gewaschen, bis das Wasser klar bleibt, und dann mit der doppelten Menge Wasser bei kleiner Hitze gekocht.",
    other:
      "Der Zug nach Freiburg fährt heute von Gleis sieben und hat voraussichtlich zwölf Minuten Verspätung.",
  },
  {
    query: "quels sont les symptômes de la carence en fer",
    answer:
      "Une carence en fer se manifeste par une fatigue persistante, un teint pâle, un essoufflement à l'effort et des ongles cassants.",
    near: "Le fer est un métal gris que l'on extrait du minerai dans un haut fourneau, à une température de plus de 1500 degrés.",
    other:
      "Le musée est fermé le mardi, et le dernier billet se vend une heure avant la fermeture.",
  },
  {
    query: "¿Cuándo se plantan los tomates?",
    answer:
      "Los tomates se siembran en semillero a finales del invierno y se trasplantan al huerto cuando ya no hay riesgo de heladas, entre abril y mayo.",
    near: "El tomate llegó a Europa en el siglo XVI desde América, y durante mucho tiempo se cultivó como planta de adorno.",
    other:
      "La biblioteca presta hasta seis libros durante tres semanas; los retrasos se pagan por día.",
  },
  {
    query: "почему осенью желтеют листья",
    answer:
      "Осенью дерево перестаёт вырабатывать хлорофилл, зелёный цвет исчезает, и становятся видны жёлтые каротиноиды.",
    near: "Листья берёзы распускаются в конце апреля, когда дневная температура поднимается выше десяти градусов.",
    other: "Концерт перенесён на субботу, билеты действительны, вход с восьми часов вечера.",
  },
  {
    query: "光合作用需要什么条件？",
    answer: "光合作用需要光、水、二氧化碳和叶绿素，温度也要合适。植物用它们制造有机物并放出氧气。",
    near: "叶子有许多种形状，有的像针，有的像手掌，这与植物生长的地方有关。",
    other: "这趟列车晚点二十分钟，请旅客在三号站台等候。",
  },
  {
    query: "ما هي عاصمة أستراليا؟",
    answer: "عاصمة أستراليا هي كانبرا، وليست سيدني كما يظن كثير من الناس.",
    near: "سيدني أكبر مدن أستراليا من حيث عدد السكان، وتشتهر بدار الأوبرا.",
    other: "يفتح المتجر أبوابه في التاسعة صباحا ويغلق يوم الجمعة.",
  },
];

/** A question whose answer stands in a text as long as a pair may be, behind all the other texts. */
export const LONG_QUERY = "Who invented the safety pin, and what did he sell the patent for?";
export const LONG_ANSWER =
  "Walter Hunt invented the safety pin in 1849 and sold the patent for 400 dollars, to pay a debt of 15 dollars to a friend.";
