// Holds fixed_point.js against what fixed_point.py gave of [function, arguments]: null where it refused them.

import * as arithmetic from "../../../inference/arithmetic/fixed_point.js";

export async function check(cases) {
  const failures = [];
  for (const [name, given, wanted] of cases) {
    let found;
    try {
      found = arithmetic[name](...given);
    } catch (refused) {
      found = refused instanceof arithmetic.BoundError ? null : String(refused);
    }
    if (found !== wanted) failures.push(`${name}(${given}): ${found}, not ${wanted}`);
  }
  return { checked: cases.length, failures };
}
