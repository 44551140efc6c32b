package dev.levee.core;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.slf4j.LoggerFactory;

/** Captures what a class logs while this is open. */
public final class CapturedLog implements AutoCloseable {
    private final Logger logger;
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

    public CapturedLog(Class<?> type) {
        logger = (Logger) LoggerFactory.getLogger(type);
        logger.setAdditive(false);
        appender.start();
        logger.addAppender(appender);
    }

    public List<String> lines() {
        return List.copyOf(appender.list).stream()
                .map(event -> event.getLevel() + " " + event.getFormattedMessage())
                .toList();
    }

    /** Returns what was logged with a stack trace. */
    public List<Throwable> throwables() {
        return List.copyOf(appender.list).stream()
                .map(event -> event.getThrowableProxy() instanceof ThrowableProxy proxy ? proxy.getThrowable() : null)
                .filter(Objects::nonNull)
                .toList();
    }

    /** Returns the key-values of each line. */
    public List<Map<String, Object>> keyValues() {
        return List.copyOf(appender.list).stream()
                .map(event -> event.getKeyValuePairs() == null
                        ? Map.<String, Object>of()
                        : event.getKeyValuePairs().stream()
                                .collect(Collectors.toMap(pair -> pair.key, pair -> pair.value)))
                .toList();
    }

    @Override
    public void close() {
        logger.detachAppender(appender);
        logger.setAdditive(true);
    }
}
