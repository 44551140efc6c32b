package dev.levee.core.internal;

/**
 * Marks a policy of this library whose own frames, from its begin to the call inside, are few and small: with some more
 * of its kind around it, what they have taken is given back in the room that {@link StackRoom} was asked for where the
 * pipeline begins. A policy without this mark may use any of the stack before it goes on, so the pipeline asks again
 * inside it. See ADR 72.
 */
public interface FitsStackRoom {}
