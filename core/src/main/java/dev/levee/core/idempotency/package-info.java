/**
 * Idempotency: an operation with a key runs once, and every repetition gets the recorded result.
 *
 * <p>{@link dev.levee.core.idempotency.Idempotency} runs operations by key,
 * {@link dev.levee.core.idempotency.IdempotencyStore} keeps what became of each key.
 */
@NullMarked
package dev.levee.core.idempotency;

import org.jspecify.annotations.NullMarked;
