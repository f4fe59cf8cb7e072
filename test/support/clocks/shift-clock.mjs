/** Loaded before a program (`--import`): its clock on the wall is ahead of the machine's by SHIFT_CLOCK_MS. */

const ahead = Number(process.env.SHIFT_CLOCK_MS);
const MachineDate = Date;

globalThis.Date = class extends MachineDate {
  constructor(...given) {
    super(...(given.length === 0 ? [MachineDate.now() + ahead] : given));
  }

  static now() {
    return MachineDate.now() + ahead;
  }
};
