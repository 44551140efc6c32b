package dev.levee.core;

import dev.levee.core.internal.Require;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The rule of {@link OutcomeRule#failures}: only errors of the listed types are failures. See ADR 7. */
final class FailureTypesRule implements OutcomeRule {
    /** All listed types. */
    private final List<Class<? extends Throwable>> types;

    /** The listed types that mean an interrupt or a cancel and nothing else. */
    private final List<Class<? extends Throwable>> cutShortTypes;

    /** Whether an error is of a listed type: one object for all calls. */
    private final Predicate<Throwable> listed;

    /** The listed types of refusals. */
    private final List<Class<? extends Throwable>> refusalTypes;

    private FailureTypesRule(List<Class<? extends Throwable>> types) {
        this.types = types;
        this.listed = error -> isOneOf(types, error);
        this.cutShortTypes = types.stream()
                .filter(type -> InterruptedException.class.isAssignableFrom(type)
                        || FileLockInterruptionException.class.isAssignableFrom(type)
                        || ClosedByInterruptException.class.isAssignableFrom(type)
                        || CancellationException.class.isAssignableFrom(type))
                .toList();
        this.refusalTypes =
                types.stream().filter(RefusedException.class::isAssignableFrom).toList();
    }

    @SafeVarargs
    static OutcomeRule of(Class<? extends Throwable>... types) {
        List<Class<? extends Throwable>> listed = new ArrayList<>();
        for (Class<? extends Throwable> type : Require.nonNull("types", types)) {
            listed.add(Require.nonNull("type", type));
        }
        if (listed.isEmpty()) {
            throw new IllegalArgumentException("types must be at least 1, but were 0");
        }
        return new FailureTypesRule(List.copyOf(listed));
    }

    @Override
    public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
        if (error == null) {
            return Verdict.SUCCESS;
        }
        if (!StandardRule.isCutShort(error)) {
            return Causes.anyCarried(error, listed) ? Verdict.FAILURE : Verdict.IGNORED;
        }
        // CancellationException is an IllegalStateException: a wider type that is listed does not mean it.
        return Causes.any(error, cause -> isOneOf(cutShortTypes, cause))
                ? Verdict.FAILURE
                : StandardRule.judgeCutShort();
    }

    @Override
    public @Nullable Verdict judgeRefusal(RefusedException refusal) {
        return isOneOf(refusalTypes, refusal) ? Verdict.FAILURE : null;
    }

    /** Whether an error is of a type. Without an iterator, which could cost an object on the hot path. */
    private static boolean isOneOf(List<Class<? extends Throwable>> types, Throwable error) {
        for (int i = 0; i < types.size(); i++) {
            if (types.get(i).isInstance(error)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String toString() {
        return types.stream().map(Class::getSimpleName).collect(Collectors.joining(", ", "failures(", ")"));
    }
}
