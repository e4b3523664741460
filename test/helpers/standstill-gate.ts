/** What stands still until the test lets it go on. */
export class StandstillGate {
  /** Resolves when something has come to it. */
  readonly met: Promise<void>;
  /** Comes to it. */
  readonly meet: () => Promise<void>;
  open!: () => void;

  constructor() {
    const opened = new Promise<void>((resolve) => (this.open = resolve));
    let tell = (): void => undefined;
    this.met = new Promise((resolve) => (tell = resolve));
    this.meet = () => {
      tell();
      return opened;
    };
  }
}
