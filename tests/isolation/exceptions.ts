/**
 * What a hidden record or value may change about an answer all the same. Everything else is a leak: the generated
 * requests of `interference.test.ts` keep clear of these five and of nothing more.
 */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  'a value that must be unique':
    'A field that is unique in the whole organisation refuses a value that a hidden record holds: otherwise it would not be unique. The answer does not name the record.',
  'a record that hidden records refer to':
    'It is not deleted while they do: their references would lead nowhere. The answer does not name them.',
  'that a record was changed':
    'The version, the time of the last change and the ETag of a record that is shown move when a hidden field of it changes: they guard against lost updates.',
  'what a rule or a step asks for':
    'Rules and the conditions of steps hold for the record as it is stored, whoever writes it: that one is refused tells that the record does not fulfil it. Who publishes a rule decides what it asks.',
  'numbers that are given out':
    'The next number of a sequence counts hidden records too: they are numbered in one order without gaps.',
};
