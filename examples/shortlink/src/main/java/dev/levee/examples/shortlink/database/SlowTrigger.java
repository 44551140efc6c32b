package dev.levee.examples.shortlink.database;

import dev.levee.examples.shortlink.cluster.Parent;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.h2.api.Trigger;
import org.h2.command.Prepared;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.jspecify.annotations.Nullable;

/**
 * Sees every statement on the table of links: counts those that run at the same time, and makes the database slow on
 * command. A slow statement really sleeps, in the database, holding its connection.
 *
 * <p>Like H2's own long loops it checks every few milliseconds whether the client has cancelled the statement.
 */
public final class SlowTrigger implements Trigger {
    private static final int STEP_MILLIS = 5;
    private static final AtomicInteger RUNNING = new AtomicInteger();
    private static final AtomicInteger MAX = new AtomicInteger();
    private static final AtomicInteger WHILE_SLOW = new AtomicInteger();

    private static volatile long delayNanos;

    /** Obeys {@code slow MILLISECONDS}. */
    static void obey(String command) {
        String[] words = command.split(" ", -1);
        if (words[0].equals("slow")) {
            delayNanos = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(words[1]));
            Parent.figure("statementsWhileSlow", WHILE_SLOW.getAndSet(0));
        }
    }

    static int running() {
        return RUNNING.get();
    }

    @Override
    public void fire(Connection connection, Object @Nullable [] oldRow, Object @Nullable [] newRow)
            throws SQLException {
        int running = RUNNING.incrementAndGet();
        try {
            if (running > MAX.getAndAccumulate(running, Math::max)) {
                Parent.figure("statementsAtOnce", running);
            }
            sleep(connection);
        } finally {
            RUNNING.decrementAndGet();
        }
    }

    private static void sleep(Connection connection) throws SQLException {
        if (delayNanos == 0) {
            return;
        }
        WHILE_SLOW.incrementAndGet();
        SessionLocal session =
                (SessionLocal) connection.unwrap(JdbcConnection.class).getSession();
        // A statement that is prepared only belongs to no command: whether it is cancelled is up to the session's
        // current one.
        Prepared current = session.prepare("SELECT 1");
        for (long start = System.nanoTime(); System.nanoTime() - start < delayNanos; ) {
            current.checkCanceled();
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(STEP_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
