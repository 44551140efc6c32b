package dev.levee.core.policy;

import dev.levee.core.Policy;
import dev.levee.core.internal.SafeLog;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives results that are not used to the consumer of a policy, whose exceptions reach no caller. See ADR 63. */
final class Discards {
    private static final Logger LOG = LoggerFactory.getLogger(Policy.class);

    private Discards() {}

    /** Gives a result to a consumer, unless one of the two is null. */
    static void accept(@Nullable Consumer<Object> consumer, @Nullable Object result, Policy policy) {
        if (consumer == null || result == null) {
            return;
        }
        try {
            consumer.accept(result);
        } catch (Throwable thrown) {
            SafeLog.warn(
                    LOG,
                    "{} \"{}\": the consumer of results that are not used threw",
                    policy.kind().label(),
                    policy.name(),
                    thrown);
        }
    }
}
