package dev.levee.jdbc.routing;

import dev.levee.core.Operation;
import dev.levee.core.internal.StackRoom;
import org.jspecify.annotations.Nullable;

/** Whether what the current thread does is declared as reading. */
final class ReadScope {
    private final ThreadLocal<Boolean> open = new ThreadLocal<>();

    boolean isOpen() {
        return open.get() != null;
    }

    <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        if (isOpen()) {
            return operation.run();
        }
        StackRoom.require(); // a thread that was left in the scope would read what it must not for ever
        open.set(Boolean.TRUE);
        try {
            return operation.run();
        } finally {
            open.remove();
        }
    }
}
