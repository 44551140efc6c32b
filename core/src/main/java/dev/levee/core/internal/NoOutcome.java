package dev.levee.core.internal;

/**
 * An exception that takes a call out of its policies, which goes on in another form: no rule is asked about it, and
 * nothing repeats or replaces it. See ADR 69.
 */
public interface NoOutcome {}
