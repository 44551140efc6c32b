package dev.levee.core.internal;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;

/** Makes the log of some classes throw while this is open: there is no memory for an event. */
public final class ThrowingLog implements AutoCloseable {
    private final List<Logger> loggers;
    private final AtomicInteger events = new AtomicInteger();
    private final Hostile appender;

    /** Throws an {@link OutOfMemoryError}. */
    public ThrowingLog(Class<?>... types) {
        this(() -> new OutOfMemoryError("Java heap space"), types);
    }

    public ThrowingLog(Supplier<? extends Error> thrown, Class<?>... types) {
        appender = new Hostile(thrown);
        loggers = Arrays.stream(types)
                .map(type -> (Logger) LoggerFactory.getLogger(type))
                .toList();
        for (Logger logger : loggers) {
            logger.setLevel(Level.TRACE);
            logger.addAppender(appender);
        }
    }

    /** How many events were lost. */
    public int events() {
        return events.get();
    }

    @Override
    public void close() {
        for (Logger logger : loggers) {
            logger.detachAppender(appender);
            logger.setLevel(null);
        }
    }

    private final class Hostile extends UnsynchronizedAppenderBase<ILoggingEvent> {
        private final Supplier<? extends Error> thrown;

        Hostile(Supplier<? extends Error> thrown) {
            this.thrown = thrown;
        }

        @Override
        public void doAppend(ILoggingEvent event) {
            events.incrementAndGet();
            throw thrown.get();
        }

        @Override
        protected void append(ILoggingEvent event) {
            doAppend(event);
        }
    }
}
