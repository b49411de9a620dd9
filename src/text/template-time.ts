// Python's strftime for chat templates: the C locale's English names, in local time. Not here: locales, %c %x %X.

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

const pad = (value: number, digits = 2, fill = "0"): string => String(value).padStart(digits, fill);
const hour12 = (date: Date): number => date.getHours() % 12 || 12;

const DIRECTIVES: Readonly<Record<string, (date: Date) => string>> = {
  "%": () => "%",
  A: (date) => DAYS[date.getDay()],
  B: (date) => MONTHS[date.getMonth()],
  H: (date) => pad(date.getHours()),
  I: (date) => pad(hour12(date)),
  M: (date) => pad(date.getMinutes()),
  S: (date) => pad(date.getSeconds()),
  Y: (date) => String(date.getFullYear()),
  a: (date) => DAYS[date.getDay()].slice(0, 3),
  b: (date) => MONTHS[date.getMonth()].slice(0, 3),
  d: (date) => pad(date.getDate()),
  e: (date) => pad(date.getDate(), 2, " "),
  f: (date) => pad(date.getMilliseconds() * 1000, 6),
  j: (date) => pad(dayOfYear(date), 3),
  m: (date) => pad(date.getMonth() + 1),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  w: (date) => String(date.getDay()),
  y: (date) => pad(date.getFullYear() % 100),
  z: (date) => zone(date),
};

/** `format` with its % directives filled in; `%-d` drops leading zeros. Throws Error on a directive it does not know. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)(.?)/gs, (directive, dash: string, letter: string) => {
    const write = DIRECTIVES[letter];
    if (!Object.hasOwn(DIRECTIVES, letter)) throw new Error(`strftime_now does not know the directive ${directive}`);
    return dash === "" ? write(date) : write(date).replace(/^[0 ]+(?=\d)/, "");
  });
}

function dayOfYear(date: Date): number {
  const midnight = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return (midnight - Date.UTC(date.getFullYear(), 0, 1)) / 86_400_000 + 1;
}

function zone(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  return (minutes < 0 ? "-" : "+") + pad(Math.floor(Math.abs(minutes) / 60)) + pad(Math.abs(minutes) % 60);
}
