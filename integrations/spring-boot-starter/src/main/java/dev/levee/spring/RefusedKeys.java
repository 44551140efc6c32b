package dev.levee.spring;

import dev.levee.console.HotKeys;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import java.util.List;
import java.util.Map;

/**
 * Counts, on the cards of the live page, the keys that policies of the configuration refuse: the name of such a policy
 * ends with its key. A call that is admitted costs nothing. Thread-safe.
 */
final class RefusedKeys implements Listener {
    /** The counters of the cards that show a policy for keys, by the name of the policy; none for other policies. */
    private volatile Map<String, List<HotKeys>> cards = Map.of();

    /**
     * Begins to count.
     *
     * @param policies all policies of the configuration, each with the counters of the cards that it is on; with none
     *     if it is not for keys
     */
    void follow(Map<String, List<HotKeys>> policies) {
        cards = Map.copyOf(policies);
    }

    @Override
    public void onRefused(Policy.Kind kind, String policy) {
        Map<String, List<HotKeys>> followed = cards;
        if (followed.isEmpty() || followed.containsKey(policy)) {
            return;
        }
        // The longest name counts: "tenant-limiter-big" may be a policy as well as a key.
        for (int dash = policy.lastIndexOf('-'); dash > 0; dash = policy.lastIndexOf('-', dash - 1)) {
            List<HotKeys> counters = followed.get(policy.substring(0, dash));
            if (counters != null) {
                String key = policy.substring(dash + 1);
                counters.forEach(each -> each.count(key));
                return;
            }
        }
    }
}
