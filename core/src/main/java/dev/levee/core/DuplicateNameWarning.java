package dev.levee.core;

import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warns, once for each name, when two policies of one kind in a pipeline have the same name: logs and metrics cannot
 * tell them apart. See ADR 37.
 */
final class DuplicateNameWarning {
    private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);

    private static final WarnedSubjects WARNED = new WarnedSubjects();

    private DuplicateNameWarning() {}

    static void warn(List<Policy> policies) {
        Map<String, Policy> seen = new HashMap<>();
        for (Policy policy : policies) {
            String kindAndName = policy.kind().label() + " \"" + policy.name() + "\"";
            if (seen.put(kindAndName, policy) != null && WARNED.add(kindAndName)) {
                SafeLog.warn(
                        LOG,
                        "{} is the name of two policies of one pipeline: logs and metrics cannot tell them apart;"
                                + " give them different names",
                        Text.printable(kindAndName));
            }
        }
    }
}
