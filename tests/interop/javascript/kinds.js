// The world `kinds` in JavaScript, for componentize-js.

const COLORS = ["red", "green", "deep-blue"];

const err = (payload) => {
  throw payload;
};

export function greet(person, title) {
  const called = title != null ? `${title} ${person.name}` : (person.nickname ?? person.name);
  return `Hello, ${called}!`;
}

export const values = {
  step(signed, unsigned) {
    const up = (it, as) => ({
      bits8: Number(as(8, BigInt(it.bits8) + 1n)),
      bits16: Number(as(16, BigInt(it.bits16) + 1n)),
      bits32: Number(as(32, BigInt(it.bits32) + 1n)),
      bits64: as(64, BigInt(it.bits64) + 1n),
    });
    return [up(signed, BigInt.asIntN), up(unsigned, BigInt.asUintN)];
  },

  add(a, b) {
    // A negative s64 that is a parameter of its own arrives without its sign.
    const total = BigInt.asIntN(64, a) + BigInt.asIntN(64, b);
    return BigInt.asIntN(64, total) === total ? total : err("overflow");
  },

  sum(numbers) {
    let total = 0n;
    for (const number of numbers) {
      total += number;
      if (total >= 1n << 64n) err({ tag: "too-large", val: number });
    }
    return total;
  },

  inspect(single, double) {
    return [single, double, Number.isFinite(single) && Number.isFinite(double)];
  },

  scale(numbers, by) {
    return Array.from(numbers, (number) => number * by);
  },

  nextChar(character) {
    const next = character.codePointAt(0) + 1;
    if (next > 0x10ffff) return undefined;
    return String.fromCodePoint(next === 0xd800 ? 0xe000 : next);
  },

  reverse(text) {
    return [...text].reverse().join("");
  },

  measure(text) {
    // Counted by hand: not every engine has a TextEncoder.
    const sizes = [...text].map((character) => {
      const code = character.codePointAt(0);
      return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    });
    return [sizes.reduce((a, b) => a + b, 0), sizes.length];
  },

  join(parts, separator) {
    return parts.join(separator);
  },

  mask(data, key) {
    return Uint8Array.from(data, (byte) => byte ^ key);
  },

  bounds(points) {
    if (points.length === 0) return undefined;
    const xs = points.map((point) => point.x);
    const ys = points.map((point) => point.y);
    return [
      { x: Math.min(...xs), y: Math.min(...ys) },
      { x: Math.max(...xs), y: Math.max(...ys) },
    ];
  },

  birthday(person) {
    if (person.age === 255) err({ code: 1, message: "255 is the last age", position: undefined });
    return { ...person, age: person.age + 1 };
  },

  find(people, name) {
    if (name === "") err({ tag: "invalid", val: { code: 2, message: "no name", position: 0 } });
    const found = people.filter((person) => person.name === name);
    if (found.length === 0) err({ tag: "not-found" });
    if (found.length > 1) {
      const nicknames = found.map((person) => person.nickname).filter((it) => it != null);
      err({ tag: "ambiguous", val: nicknames });
    }
    return found[0];
  },

  area({ tag, val }) {
    switch (tag) {
      case "circle":
        return Math.PI * val * val;
      case "rectangle":
        return val[0] * val[1];
      case "polygon": {
        const after = (index) => val[(index + 1) % val.length];
        const parts = val.map((a, index) => a.x * after(index).y - after(index).x * a.y);
        return Math.abs(parts.reduce((a, b) => a + b, 0)) / 2;
      }
      case "nothing":
        return err("nothing has no area");
      case "label":
        return err("a label has no area");
    }
  },

  describe({ tag, val }) {
    switch (tag) {
      case "nothing":
        return "nothing";
      case "circle":
        return "a circle";
      case "rectangle":
        return "a rectangle";
      case "polygon":
        return `a polygon of ${val.length} points`;
      case "label":
        return val[1] == null ? `the label ${val[0]}` : `the coloured label ${val[0]}`;
    }
  },

  mix(a, b) {
    return a === b ? a : COLORS.find((color) => color !== a && color !== b);
  },

  toggle(have, change) {
    const differs = (name) => Boolean(have[name]) !== Boolean(change[name]);
    return { read: differs("read"), write: differs("write"), runAsOwner: differs("runAsOwner") };
  },

  deepen(value) {
    if (value == null || value.tag === "none") return { tag: "some", val: undefined };
    return { tag: "some", val: value.val == null ? 0 : (value.val + 1) % 2 ** 32 };
  },

  swap(outcomes) {
    return outcomes.map(({ tag, val }) => ({ tag: tag === "ok" ? "err" : "ok", val }));
  },

  negate(bare, number, text) {
    return values.swap([bare, number, text]);
  },

  group(pairs) {
    const groups = new Map();
    for (const [color, text] of pairs) {
      groups.set(color, [...(groups.get(color) ?? []), text]);
    }
    return [...groups];
  },

  check(value) {
    if (!value) err(undefined);
  },

  touch() {},
};
