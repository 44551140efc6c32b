package dev.levee.jcache;

import javax.cache.processor.EntryProcessorException;
import javax.cache.processor.EntryProcessorResult;
import org.jspecify.annotations.Nullable;

/** What a processor returned for a key of several, or what it failed with. */
record ProcessorOutcome<T>(@Nullable T result, @Nullable RuntimeException failure) implements EntryProcessorResult<T> {
    @Override
    public @Nullable T get() {
        if (failure == null) {
            return result;
        }
        throw failure instanceof EntryProcessorException known ? known : new EntryProcessorException(failure);
    }

    /** Not the result, which may be secret. */
    @Override
    public String toString() {
        return failure == null ? "a result" : "a failure";
    }
}
