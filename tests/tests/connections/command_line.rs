//! `pqh connection …` of the real program, as people use it.
