/**
 * Words that are one piece of the vocabulary each, which saves tokens, and that are so frequent
 * that a query gains little from them. Chosen and sorted by hand for this project, by how common
 * they are in general prose; counted in no corpus.
 */

function list(words: string): string[] {
  return words.split(/\s+/u).filter((word) => word !== "");
}

/** Words in nearly every text; an apostrophe leaves single letters behind ("don't"). */
export const FUNCTION_WORDS: readonly string[] = list(`
  a an the of in to and or nor is are was were be been being am by for on at from with as that this
  these those it its he she they them him her his hers their theirs we us our ours you your yours i
  me my mine who whom whose which what when where how why if then than so such but not no do does
  did done doing can could may might must will would shall should has have had having there here
  into onto upon about above below between among through during before after over under again
  against because until while although though whether both each either neither any all some most
  more less least many much few several other others another same own only just also too very even
  still yet ever never always often already up down out off via per s t d m o e re ve ll don doesn
  didn isn aren wasn weren won couldn wouldn shouldn hasn haven hadn within without toward towards
  however therefore thus hence moreover furthermore since unless like rather quite etc itself
  himself herself themselves myself yourself
`);

/** Words in every second to tenth text. Verbs and nouns come with their endings. */
export const FREQUENT_STEMS: readonly string[] = list(`
  use make take find show give know see need want work call come get go say think look help try
  keep let begin start end turn move live play run change lead follow include provide allow
  increase decrease reduce cause effect affect result study report suggest support require
  compare develop produce create form involve base relate associate describe consider
  year day time week month hour people person man woman child world country place area part point
  case fact thing way kind type level number amount rate group set list name word line side hand
  home house water life name state city group system program problem question answer example
  reason idea process method model test
`);
export const FREQUENT_WORDS: readonly string[] = list(`
  one two three four five six seven eight nine ten first second third last next new old good better
  best bad high higher highest low lower lowest large larger small smaller great big long short
  different important possible available common general main major minor early late recent recently
  well now today made found shown given known seen said went gone got came took taken kept
  led left right become became being around along across among according due based using used
  significant significantly potential specific similar particular particularly usually generally
  especially together total per cent percent men women children lot little every everyone
  something anything nothing someone back away once almost nearly least enough
`);

/** Words in every tenth to fiftieth text. */
export const COMMON_STEMS: readonly string[] = list(`
  accept access account achieve act action activate activity add address adult age agent agree air
  aim analyse analyze animal appear application apply approach argue arm army arrive article ask
  aspect assess attack attempt author bank battle bed believe benefit bill bird block blood board
  boat body bone book border box brain branch bring brother build building business buy camera camp
  campaign cancer car card care carry cat cell center centre century chain chance character charge
  check chemical choice choose church circle citizen claim class clean clear click client clinic
  close cloud coast code collect college color colour combine comment commit community company
  complete component compound computer concentration concept concern conclude condition conduct
  confirm connect contact contain content control cook copy core correct cost count couple course
  court cover crime crisis culture cup current customer cut cycle damage dance data date daughter
  death debate decide decision defend define degree deliver demand demonstrate department depend
  design desire detail detect determine device die diet differ difference direct discover discuss
  disease disorder display distance distribute district doctor document dog dollar door dose doubt
  draw dream dress drink drive drop drug ear earn earth eat economy edge edit editor effort egg
  election element employ enable encourage enemy energy engine engineer enter environment equal
  equation error establish estimate evaluate event evidence examine exercise exist expand expect
  experience experiment expert explain explore express extend extract eye face factor factory fail
  fall family farm father feature feed feel female field fight figure file fill film finance
  finger finish fire fish fit fix floor flow flower fly focus food foot force forest frame friend
  fruit fuel function fund gain game garden gas gene generate generation girl glass goal gold
  govern government grade grant graph green ground grow guard guess guest guide hair handle happen
  harm hat head heal health hear heart heat hill history hold hole holiday hope horse hospital host
  hotel human husband ice identify image immune impact implement improve index indicate individual
  industry infect infection influence inform inhibit initiate injury insect inside insert install
  institute instrument intend interact interest interview introduce invest investigate island issue
  item job join judge jump key kid kill king kitchen knife lab label lack lake land language laugh
  law lawyer layer leader leaf learn leave leg lesson letter library license lie lift light limit
  link lip liquid listen load loan local locate location lock loss love lung machine magazine mail
  maintain male manage manager map mark market marriage marry mass match material matter mean
  measure meat mechanism media medicine meet member memory mention message metal mice mile milk
  mind mineral minute mission mix mobile moment money monitor mood moon mother motor mountain mouse
  mouth movement movie muscle museum music mutation nation nature neck neighbor nerve network
  nose note notice novel nurse object observe obtain occur ocean offer office officer oil open
  operate operation opinion option order organ organize origin outcome owner oxygen pack page pain
  paint pair paper parent park participate party pass path patient pattern pay peak perform
  period permit phase phone photo picture piece pilot plan plane planet plant plate player
  poem poet policy pool population position post pot pound power practice predict prefer prepare
  present president press pressure prevent price prime prince print prison product profile
  profit project promise promote proof property propose protect protein protest prove
  publish pull purpose push qualify quality queen race radio rain raise range rank ratio reach
  react read receive recognize recommend record recover refer reflect region regulate release
  remain remember remove repair repeat replace represent request rescue research reserve resist
  resource respond response rest restaurant restore retain return reveal review rice ride ring
  rise risk river road rock role roll roof room root rule safe sale salt sample sand save scale
  scene school science scientist score screen search season seat section sector secure seed
  seek select sell send sense sentence separate sequence series serve service session settle shape
  share sheet ship shirt shoe shoot shop shot shoulder sign signal silver sing singer sister site
  situation size skill skin sleep slide slow smell smile smoke snow software soil soldier solid
  solution solve son song sort sound source space speak species speech speed spend spirit sport
  spread spring square stage stand standard star station stay steal steel stem step stick stock
  stomach stone stop store storm story strategy stream street strength stress stretch strike
  strong structure student style subject substance succeed sugar suit summer sun supply surface
  surgery surprise survey survive symptom table talk target task taste tax teach teacher team
  tear technique technology tell temperature term text theory therapy thought thousand threat
  throw ticket tissue tool tooth top topic touch tour tower town toy track trade tradition train
  transfer transform transport travel treat treatment tree trend trial trip trouble truck trust
  tube tumor uncle understand unit university update user vaccine valley value variable
  variety vary vegetable vehicle version vessel victim video view village virus visit vitamin voice
  volume vote wage wait walk wall war warn wash waste watch wave weapon wear weather web website
  weight wheel wife wild win wind window wine wing winner winter wish witness wonder wood worker
  worry write writer yard yield zone
`);
export const COMMON_WORDS: readonly string[] = list(`
  able absence absent accurate active actual actually acute additional advanced afternoon ago
  alone american ancient april artificial asian august automatic average aware basic beautiful
  began begun behavior behaviour black blue born bought bound brief bright british broad broken
  brought brown built capable capital careful central certain cheap chief chinese chosen chronic
  civil clinical cold commercial complex consistent constant content cool critical cultural daily
  dark dead deep definition dependent difficult digital direct directly drawn dry dutch easily
  east eastern easy economic education effective efficacy efficient electric electronic emergency
  empty english entire equal european evening exactly excellent experimental expression expressed
  external extra extreme false familiar famous fast fat federal feet female fell felt final finally
  financial fine firm flat foreign former forward free french frequent frequently fresh friday front
  full fully function functional functions future genetic german global gone greek green grew grey
  grown guilty half happy hard healthy heard heavy held historical hot huge hundred ideal immediate
  immediately increasingly independent indian inner intelligence intelligent internal international
  internet italian january japanese july june knowledge korean legal likely linear liquid live
  local lost lovely male march maximum mean medical mental met military million billion minimum
  modern molecular monday moral morning mortality multiple narrow national native natural near
  necessary negative neutral news nice night noon normal north northern november nuclear october
  official online opposite original outer outside overall paid pain parallel past perfect perhaps
  permanent personal physical plain political poor popular positive powerful pregnancy pregnant
  presence pretty previous previously primary private probably professional proper properly public
  pure quick quickly quiet random rapid rapidly rare rate raw ready real really red regular
  relation relationship relative relatively religious responsible rich round royal running russian
  safety saturday scientific secondary senior sensitive september serious severe severity sexual
  sharp sick silent simple simply single slight slightly slow slowly smart social soft sold solar
  solid soon south southern spanish special specifically spent spoken spoke stable standing steady
  stood strange strongly successful sudden suddenly sufficient sunday sure susceptible sweet taught
  technical therapeutic thick thin thirty thursday tiny tired tomorrow tonight total tough towns
  traditional true truth tuesday twenty twice type typical typically ultimate unable unique united
  unknown upper upward urban usual vast versus visual vital warm weak wealth wednesday weekly west
  western wet white whole wide widely worse worst worth written wrong wrote yellow yes yesterday
  young zero february december
`);

/** Pieces inside and at the end of longer words: no weight of their own, they save tokens. */
export const INNER_PIECES: readonly string[] = list(`
  tion tions ation ations ment ments ness able ible ably ance ence ances ences ality ility ities
  ively ized ised izing ising ization isation ology ological ologist graphy graphic metric meter
  ical ically istic ional ional ions ious iously eous less ful fully ship ships ward wards wise
  cyte cytes blast blasts genic genesis genetic lysis lytic phil phage plasm plasma pathy pathic
  penia emia emic itis osis otic oma omas ase ases ose ine ines ide ides ate ates ated ating ator
  ators ative ing ings ers ists ism isms ary ory ery ity ive ives ous ent ant ents ants ure ures
  ular ulation tional tive tives sive sion sions cious cial tial rial nal ned ner ning ting ter ters
  ted ded ding der ders red ring ling led ler lings sed sing ser ved ving ver vers ced cing cer
  ged ging ger ked king ker mum nism nist ment mental mentary under over port ported scribe
  script struct structure stance stitute sistent spect spective ception ceptor gram grams graph
  graphs scope scopic scopy tropic trophic phosph ylation kinase somal somes some land town
  burg berg ford son stein ville stan shire
`);

/** Beginnings of longer words, likewise. */
export const FIRST_PIECES: readonly string[] = list(`
  inter trans under over super hyper micro macro multi poly mono photo chemo cardio neuro immuno
  hemo haem hepat nephr gastro osteo cyto phospho lipo glyco anti auto counter extra intra infra
  ultra semi pseudo proto proto meta para peri post pre pro retro sub trans electro hydro thermo
  radio tele video audio techno bio geo eco astro psycho socio politico philo theo endo ecto epi
  hetero homo iso neo omni pan tri quad penta hexa octa deca centi milli kilo mega giga nano pico
  dis mis non over out fore back down with circum contra equi circ centr chron cred dict duct
  fact flect form fract gram grat ject junct labor liber loc log magn mand manu mort norm path ped
  phon port psych scop sect sens serv simil spec spir stat struct tact tempor terr vert voc
  recommend represent respons comput environ govern experi differ consider commun develop establish
  particip intern nation educ univers organ manag admin insulin glucose diabet cardiovascular
  inflamm receptor pathway pathways membrane molecul antibod bacteri hormon enzym javascript
  algorithm algorithms database databases hardware server servers quer
`);

/** Han and kana that carry grammar rather than matter. */
export const CJK_FUNCTION_CHARACTERS: readonly string[] = [
  ...Array.from(
    "的了是在和与及或而也都就还又很之于其这那此个们把被让从到对为以所者着过吗呢吧啊么什怎哪谁",
  ),
  ...Array.from("我你他她它您您自己有没不无要会能可以一"),
  ...Array.from("這個們為與會對從還過嗎沒無麼誰"),
  ...Array.from(
    "のにはをがでとてもやかへられるりなさしすいうえおあたこそまだっんょゅゃよねわくけき",
  ),
];

/** Han characters that stand in a large share of all texts, yet mean something. */
export const CJK_COMMON_CHARACTERS: readonly string[] = [
  ...Array.from(
    "人大中上下小年月日时分国家地方用好多少前后里出来去看说想做开关行生学工作本发成动同长如何",
  ),
  ...Array.from(
    "样点些种次第二三四五六七八九十百千万两几每天间事物主要高低新老等最更比较因为所问题",
  ),
  ...Array.from("時後國來說開關學發動長樣點種萬兩幾間問題"),
  ...Array.from("이가은는을를의에도로와과고다하한지기사인"),
];
