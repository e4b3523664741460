let second = NaN;
let secondText = '';

/** `YYYY-MM-DD HH:MM:SS.mmm` in the local time zone. */
export function formatTime(milliseconds: number): string {
  const wholeSecond = Math.floor(milliseconds / 1000);
  if (wholeSecond !== second) {
    second = wholeSecond;
    secondText = formatSecond(new Date(wholeSecond * 1000));
  }
  return `${secondText}.${String(milliseconds - wholeSecond * 1000).padStart(3, '0')}`;
}

function formatSecond(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** One line as OVMS 2026.2.1 prints it; scripts match logger, level and text. */
export function formatLine(line: {
  readonly time: number;
  readonly threadId: number;
  readonly logger: string;
  readonly level: string;
  readonly site: string;
  readonly text: string;
}): string {
  return `[${formatTime(line.time)}][${line.threadId}][${line.logger}][${line.level}][${line.site}] ${line.text}\n`;
}
