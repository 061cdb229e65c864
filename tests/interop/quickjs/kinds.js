// The world `kinds` in JavaScript, for componentize-qjs: here 64-bit integers are numbers, exact up to 2^53.

import { greet, values as shared } from "../javascript/kinds.js";

export { greet };

const narrow = ({ bits64, ...rest }) => ({ ...rest, bits64: Number(bits64) });

export const values = {
  ...shared,

  step(signed, unsigned) {
    return shared.step(signed, unsigned).map(narrow);
  },

  add(a, b) {
    return Number(shared.add(BigInt(a), BigInt(b)));
  },

  sum(numbers) {
    try {
      return Number(shared.sum(numbers.map(BigInt)));
    } catch ({ tag, val }) {
      throw { tag, val: Number(val) };
    }
  },
};
