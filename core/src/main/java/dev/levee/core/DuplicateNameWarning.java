package dev.levee.core;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warns, once for each name, when two policies of one kind in a pipeline have the same name: logs and metrics cannot
 * tell them apart. See ADR 37.
 */
final class DuplicateNameWarning {
    private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);

    /** As for harmful orders: pipelines that are made per key must not fill the memory. */
    private static final int MAX_WARNINGS = 1_000;

    private static final Set<String> WARNED = ConcurrentHashMap.newKeySet();

    private DuplicateNameWarning() {}

    static void warn(List<Policy> policies) {
        Map<String, Policy> seen = new HashMap<>();
        for (Policy policy : policies) {
            String kindAndName = policy.kind().label() + " \"" + policy.name() + "\"";
            if (seen.put(kindAndName, policy) != null && WARNED.size() < MAX_WARNINGS && WARNED.add(kindAndName)) {
                LOG.warn(
                        "{} is the name of two policies of one pipeline: logs and metrics cannot tell them apart;"
                                + " give them different names",
                        kindAndName);
            }
        }
    }
}
