package dev.levee.grpc;

import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Require;
import io.grpc.CallOptions;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where a load balancer remembers, between the attempts of one call, which subchannels the call was sent to, so that
 * the next attempt goes to another.
 *
 * <p>{@link GrpcClientGuard} makes one for each call. Where attempts are made by other code, give them one by hand:
 *
 * <pre>{@code
 * CallOptions options = CallOptions.DEFAULT.withOption(AttemptMemory.OPTION, new AttemptMemory());
 * }</pre>
 *
 * <p>Only balancers of {@link dev.levee.grpc.balancing} use it; others ignore it. Thread-safe; never blocks.
 *
 * @since 0.1
 */
public final class AttemptMemory {
    /** The option of the attempts of a call that holds the memory of the call. Default: none. */
    public static final CallOptions.Key<@Nullable AttemptMemory> OPTION =
            CallOptions.Key.create("dev.levee.grpc.AttemptMemory");

    private static final VarHandle HELD = Handles.field(MethodHandles.lookup(), "held", StoredValue.class);

    private volatile @Nullable StoredValue held;

    private record StoredValue(Object owner, Object value) {}

    /** Makes a memory of a call that was not sent yet. */
    public AttemptMemory() {}

    /**
     * Returns what an owner has stored, or stores it. One owner's value is kept: that of the last one.
     *
     * @param owner whose value it is, compared by identity
     * @param type of the value
     * @param initial makes the value; may be called in vain
     * @param <T> the type of the value
     * @return the value, the same one for all attempts as long as the owner is the same
     * @throws NullPointerException if an argument is null
     */
    public <T> T of(Object owner, Class<T> type, Supplier<? extends T> initial) {
        Require.nonNull("owner", owner);
        while (true) {
            StoredValue now = held;
            if (now != null && now.owner == owner) {
                return type.cast(now.value);
            }
            T value = Require.nonNull("value", initial.get());
            if (HELD.compareAndSet(this, now, new StoredValue(owner, value))) {
                return value;
            }
        }
    }
}
