package dev.levee.console;

import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The log of the console. What was thrown goes here and never to the page. */
final class ConsoleLog {
    private static final Logger LOG = LoggerFactory.getLogger(Console.class);

    private ConsoleLog() {}

    static void started(String address, boolean readOnly) {
        SafeLog.info(LOG, "console serves on {}{}", address, readOnly ? ", read-only" : ", with buttons");
    }

    /** At debug, because it comes with every poll; the page says that figures are missing. */
    static void broken(String kind, String name, Throwable thrown) {
        SafeLog.debug(LOG, "{} \"{}\": figures cannot be read", kind, Text.printable(name), thrown);
    }

    static void failed(String control, Throwable thrown) {
        SafeLog.warn(LOG, "button \"{}\" failed", Text.printable(control), thrown);
    }

    static void pressed(String control, String reason) {
        SafeLog.warn(LOG, "button \"{}\" was pressed: {}", Text.printable(control), Text.printable(reason));
    }
}
