// The check digit of IMEI and CMEI (ISO/IEC 7812-1, Annex B), digit by digit.

export type LuhnDigit = { digit: number; doubled: boolean; product: number; sum: number };
export type Luhn = { digits: LuhnDigit[]; total: number; check: number };

/** Of the digits before the check digit: from the right every other one counts twice, a product of two digits as their sum. */
export function luhn(text: string): Luhn {
  const digits = [...text].map((char, i, all): LuhnDigit => {
    const digit = Number(char);
    const doubled = (all.length - 1 - i) % 2 === 0;
    const product = doubled ? digit * 2 : digit;
    return { digit, doubled, product, sum: product > 9 ? product - 9 : product };
  });
  const total = digits.reduce((sum, { sum: part }) => sum + part, 0);
  return { digits, total, check: (10 - (total % 10)) % 10 };
}
