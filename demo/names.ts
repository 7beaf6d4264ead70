/** Names for people and companies that are plainly made up. */
import type { Random } from './random.ts';

const FIRST =
  `Ada Aksel Alma Amina Anders Anouk Arno Astrid Bastian Beata Benno Bettina Bruno Cara Carsten Celine Clemens
Dagny Darius Delia Dominik Edda Eike Elena Elias Elif Emil Enya Erik Esther Fabian Felix Filippa Finn Flora Frida Gero
Greta Gunnar Hanna Harald Hedda Helge Henrike Ida Ilka Imani Ingmar Irma Isak Ivo Jana Jasper Jette Joris Judith Julius
Kaja Karim Katrin Kian Klara Konrad Laila Lars Lea Lennart Lina Livia Lorenz Lotte Ludvig Maja Malik Malte Mara Marek
Marit Matteo Mia Milan Mina Mirja Moritz Nadia Nele Niklas Nils Nora Nuria Ole Olga Omar Oskar Paula Per Petra Philine
Pia Rafael Ragna Rasmus Rieke Ronja Ruben Runa Samira Sander Selma Silas Sina Sofie Stellan Svea Tamara Tarek Tessa Theo
Thora Tilda Timon Tobias Tove Tristan Ulrike Uma Valerie Vera Viggo Viktor Wanda Wim Yara Yusuf Zoe`.split(/\s+/);

const LAST =
  `Abelsen Adler Almqvist Andresen Aschauer Backhaus Bakke Baumgart Becksted Bergmoser Birkland Bjerke Blomfeld
Borchert Brandvik Breitner Brugger Castellan Dahlberg Dekker Dornier Drexler Edelmann Egeland Ehrling Eikrem Ekstrand
Engelhart Falkner Feldmann Fossheim Freitag Friis Gerlach Gjerde Granlund Greven Gruber Haller Hammerich Hartwig Haugen
Heimdal Hellström Hessel Holmgard Horvath Ihlen Imhof Jansky Jessen Johannsen Kallweit Kampmann Kessler Kirkeby Kjeldsen
Kolbeck Krogh Kuiper Landau Langseth Leitner Lindqvist Lorentz Lundmark Malmstedt Marchetti Meinert Moberg Mortensen
Nordahl Nyborg Oberholt Odermatt Olander Ottesen Palmgren Pedrini Petrak Quistgaard Rademaker Ravnsborg Rehbein Rieger
Rosvold Rutgers Sandvik Scharnagl Seeberg Silkeborg Skarsgard Solheim Sparre Steiner Stordal Strand Sunde Svanberg
Tangen Terborg Thorsen Trautmann Ullmann Vangen Vestergaard Vikander Vollmer Wallin Wegener Westphal Wiborg Winther Wolden
Ystad Zeller Zimmerli`.split(/\s+/);

const PLACE =
  `Alder Amber Arctic Aspen Auburn Beacon Birch Blue Bramble Breck Bridge Bright Cairn Cedar Cinder Clay Cliff
Cobalt Copper Coral Crane Crest Crown Delta Dune East Elder Elm Ember Falcon Fern Field Fjord Flint Ford Fox Frost Gable
Garnet Glen Gold Granite Green Grey Grove Harbour Hawthorn Hazel Heather Heron High Hollow Iron Ivory Jade Juniper Kestrel
Lake Lark Laurel Linden Lion Maple Marsh Meadow Merid Mill Moor Moss North Oak Ochre Onyx Orchard Osprey Otter Pebble Pine
Quarry Quartz Raven Red Reed Ridge River Rock Rowan Saffron Sage Salt Sand Silver Slate South Sparrow Spring Spruce Star
Steel Stone Summit Sun Swift Teal Thistle Thorn Tide Timber Vale Violet West Willow Wind Winter Wolf Wren`.split(/\s+/);

const LAND =
  `bank bay bridge brook burn bury by cliff crest dale dorf field ford gate grove hall ham haven heim hill holm
holt land lea mark mere mont moor mouth port ridge side stad stead stone thorpe vale vik wald ward water well wick wood
worth`.split(/\s+/);

/** Sector → what companies in it call themselves. */
const TRADE: Readonly<Record<string, readonly string[]>> = {
  manufacturing: ['Castings', 'Forge', 'Machine Works', 'Metalworks', 'Precision Parts', 'Tooling', 'Gears'],
  construction: ['Builders', 'Contracting', 'Structures', 'Roofing', 'Civil Works', 'Timber Homes'],
  energy: ['Power', 'Wind', 'Grid Services', 'Hydro', 'Renewables', 'Heat'],
  logistics: ['Freight', 'Logistics', 'Shipping', 'Haulage', 'Warehousing', 'Cold Chain'],
  technology: ['Software', 'Systems', 'Robotics', 'Instruments', 'Sensors', 'Data'],
  healthcare: ['Medical', 'Clinics', 'Diagnostics', 'Care Homes', 'Pharma', 'Dental Supply'],
  retail: ['Stores', 'Outfitters', 'Markets', 'Home & Garden', 'Bikes', 'Provisions'],
  food: ['Dairy', 'Bakeries', 'Breweries', 'Foods', 'Mills', 'Fisheries'],
  finance: ['Capital', 'Insurance', 'Leasing', 'Trust', 'Advisers'],
  education: ['Academy', 'College', 'Learning', 'Training Centre'],
};
const FORM = ['', '', '', ' Group', ' Ltd', ' GmbH', ' AS', ' & Sons', ' Partners'];

export interface PersonName {
  readonly first: string;
  readonly last: string;
}

export function personName(random: Random): PersonName {
  return { first: random.pick(FIRST), last: random.pick(LAST) };
}

export function companyName(random: Random, sector: string): string {
  const trade = random.pick(TRADE[sector] ?? ['Industries', 'Holding', 'Services', 'Works']);
  return `${random.pick(PLACE)}${random.pick(LAND)} ${trade}${random.pick(FORM)}`;
}

/** For addresses: letters and digits only. */
export function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replaceAll('ø', 'o')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
