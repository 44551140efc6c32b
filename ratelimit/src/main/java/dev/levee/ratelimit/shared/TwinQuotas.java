package dev.levee.ratelimit.shared;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The names and keys that are on their way: of each one request at a time, also if several limiters have it, so that no
 * two take one answer. Guarded by the lock of the link.
 */
final class TwinQuotas {
    private final Set<List<String>> asked = new HashSet<>();

    /** Notes that a request begins; false if one of a twin is on its way. */
    boolean begin(SharedQuota quota) {
        return asked.add(id(quota));
    }

    /** Notes that no request of these is on its way any more. */
    void end(List<SharedQuota> quotas) {
        for (SharedQuota quota : quotas) {
            asked.remove(id(quota));
        }
    }

    private static List<String> id(SharedQuota quota) {
        return List.of(quota.scope.name, quota.key);
    }
}
