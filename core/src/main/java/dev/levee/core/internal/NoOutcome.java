package dev.levee.core.internal;

/**
 * An exception that takes a call out of its policies, because the call goes on in another form (ADR 69) or another
 * attempt of a hedge has settled it: no rule is asked about it, and nothing repeats or replaces it.
 */
public interface NoOutcome {}
