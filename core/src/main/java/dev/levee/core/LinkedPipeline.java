package dev.levee.core;

import dev.levee.core.internal.FitsStackRoom;
import dev.levee.core.internal.Repeater;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.StackRoom;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The only implementation of {@link Pipeline}: a chain of {@link Inner}s, linked from the operation outwards. See ADR
 * 8, and ADR 70 for the warning of repeats.
 *
 * <p>A blocking call asks for the stack that its policies need to give back what they have taken once, where it begins;
 * and again inside a policy without the mark {@link FitsStackRoom}, which may use any of it, and after
 * {@value #MAX_LINKS_IN_ROOM} links, whose own frames use some. See ADR 72.
 */
final class LinkedPipeline implements Pipeline {
    private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);
    private static final WarnedSubjects WARNED_NAMES = new WarnedSubjects();
    private static final int MAX_LINKS_IN_ROOM = 8;

    private final List<Policy> policies;
    private final Inner chain;

    private LinkedPipeline(List<Policy> policies, Inner chain) {
        this.policies = policies;
        this.chain = chain;
    }

    static LinkedPipeline of(Policy... outermostFirst) {
        List<Policy> policies = flatten(outermostFirst);
        requireDistinct(policies);
        requireOneClock(policies);
        HarmfulOrder.warn(policies);
        warnOfUntoldRepeats(policies);
        warnOfDuplicateNames(policies);
        return new LinkedPipeline(policies, link(policies));
    }

    static List<Policy> flatten(Policy... outermostFirst) {
        List<Policy> flat = new ArrayList<>();
        for (Policy policy : Require.nonNull("policies", outermostFirst)) {
            if (Require.nonNull("policy", policy) instanceof Pipeline pipeline) {
                flat.addAll(pipeline.policies());
            } else {
                flat.add(policy);
            }
        }
        return List.copyOf(flat);
    }

    static void requireDistinct(List<Policy> policies) {
        Set<Policy> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Policy policy : policies) {
            if (!seen.add(policy)) {
                throw new IllegalArgumentException(
                        "policies must be distinct objects, but " + text(policy) + " stands in the pipeline twice");
            }
        }
    }

    private static void requireOneClock(List<Policy> policies) {
        if (policies.isEmpty()) {
            return;
        }
        NanoClock clock = policies.get(0).environment().clock();
        for (Policy policy : policies) {
            if (policy.environment().clock() != clock) {
                throw new IllegalArgumentException(
                        "policies must share one clock, but " + text(policies.get(0)) + " has "
                                + clock + " and " + text(policy) + " has "
                                + policy.environment().clock());
            }
        }
    }

    /** Warns of policies around a timeout that repeat what has timed out, and do not know whether they may. */
    private static void warnOfUntoldRepeats(List<Policy> policies) {
        Policy timeout = null;
        for (int i = policies.size() - 1; i >= 0; i--) {
            Policy policy = policies.get(i);
            if (policy.kind() == Kind.TIMEOUT) {
                timeout = policy;
            } else if (timeout != null && policy instanceof Repeater repeater) {
                repeater.warnIfUntold(text(timeout));
            }
        }
    }

    /**
     * Warns, once for each name, when two policies of one kind in a pipeline have the same name: logs and metrics
     * cannot tell them apart. See ADR 37.
     */
    private static void warnOfDuplicateNames(List<Policy> policies) {
        Map<String, Policy> seen = new HashMap<>();
        for (Policy policy : policies) {
            String kindAndName = policy.kind().label() + " \"" + policy.name() + "\"";
            if (seen.put(kindAndName, policy) != null && WARNED_NAMES.add(kindAndName)) {
                SafeLog.warn(
                        LOG,
                        "{} is the name of two policies of one pipeline: logs and metrics cannot tell them apart;"
                                + " give them different names",
                        Text.printable(kindAndName));
            }
        }
    }

    /** Returns kind and quoted name. */
    private static String text(Policy policy) {
        return policy.kind().label() + " \"" + Text.printable(policy.name()) + "\"";
    }

    private static Inner link(List<Policy> policies) {
        Inner next = Inner.OPERATION;
        Deque<Gate> adjacent = new ArrayDeque<>();
        int links = 0;
        for (int i = policies.size() - 1; i >= 0; i--) {
            Policy policy = policies.get(i);
            if (policy instanceof Gate gate) {
                adjacent.addFirst(gate);
                continue;
            }
            next = closeSegment(adjacent, next);
            links++;
            if (!(policy instanceof FitsStackRoom) || links % MAX_LINKS_IN_ROOM == 0) {
                next = new RoomLink(next);
            }
            next = policy instanceof Around around ? new AroundLink(around, next) : new ForeignLink(policy, next);
        }
        return closeSegment(adjacent, next);
    }

    private static Inner closeSegment(Deque<Gate> adjacent, Inner next) {
        if (adjacent.isEmpty()) {
            return next;
        }
        Gate[] gates = adjacent.toArray(new Gate[0]);
        adjacent.clear();
        return GateSegment.of(next, gates);
    }

    @Override
    public String name() {
        return policies.isEmpty() ? "empty" : policies.get(0).name();
    }

    @Override
    public Environment environment() {
        return policies.isEmpty() ? Environment.system() : policies.get(0).environment();
    }

    @Override
    public List<Policy> policies() {
        return policies;
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        StackRoom.require();
        return chain.call(operation);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Supplier<? extends CompletionStage<T>> operation) {
        return chain.callAsync(operation);
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        for (Policy policy : policies) {
            if (policy instanceof Measured measured) {
                measured.measure(sink);
            }
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Policy policy : policies) {
            text.append(
                            policy.kind() == Kind.OTHER
                                    ? policy.name()
                                    : policy.kind().label())
                    .append('(');
        }
        return text.append("call").append(")".repeat(policies.size())).toString();
    }

    /** A link that asks for stack again. */
    private record RoomLink(Inner next) implements Inner {
        @Override
        public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
            StackRoom.require();
            return next.call(operation);
        }

        @Override
        public <T extends @Nullable Object> CompletableFuture<T> callAsync(
                Supplier<? extends CompletionStage<T>> operation) {
            return next.callAsync(operation);
        }
    }

    /** The link of a policy that repeats, delays or replaces what is inside it. */
    private record AroundLink(Around around, Inner next) implements Inner {
        @Override
        public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
            return around.around(next, operation);
        }

        @Override
        public <T extends @Nullable Object> CompletableFuture<T> callAsync(
                Supplier<? extends CompletionStage<T>> operation) {
            return CallFuture.start(around, next, operation);
        }
    }

    /** The link of a user's policy that is neither gate nor around; costs a lambda for each call. */
    private record ForeignLink(Policy policy, Inner next) implements Inner {
        @Override
        @SuppressWarnings("unchecked") // this method, not the lambda, declares what the operation throws
        public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
            if (operation instanceof InterruptibleOperation) {
                // Wrapped as one of its kind, so that a gate inside the policy throws the interrupt itself.
                InterruptibleOperation<T, RuntimeException> interruptible =
                        () -> next.call((Operation<T, RuntimeException>) operation);
                return policy.call((Operation<T, X>) (Operation<T, ?>) interruptible);
            }
            return policy.call(() -> next.call(operation));
        }

        @Override
        public <T extends @Nullable Object> CompletableFuture<T> callAsync(
                Supplier<? extends CompletionStage<T>> operation) {
            return CallFuture.start(() -> policy.callAsync(() -> next.callAsync(operation)));
        }
    }
}
