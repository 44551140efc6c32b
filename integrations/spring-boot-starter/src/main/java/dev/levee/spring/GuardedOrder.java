package dev.levee.spring;

import dev.levee.spring.LeveeConfigurationException.Problem;
import dev.levee.spring.Settings.SettingNode;
import java.util.ArrayList;
import java.util.List;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;

/** Where the policies of guarded methods stand among other advice: less is further out. */
final class GuardedOrder {
    /** Further out than transactions and caches, which stand at the end unless told otherwise. */
    static final int STANDARD = Ordered.LOWEST_PRECEDENCE - 1000;

    private GuardedOrder() {}

    static int read(ConfigurableEnvironment environment) {
        SettingNode node = Settings.read(environment).at("guarded");
        if (node == null) {
            return STANDARD;
        }
        List<Problem> problems = new ArrayList<>();
        Values values = new Values(node.path(), List.of(node), false, problems);
        int order = read(values);
        values.requireKnown(node);
        if (!problems.isEmpty()) {
            throw new LeveeConfigurationException(problems);
        }
        return order;
    }

    static int read(Values values) {
        return values.get(
                "order",
                SettingType.INT,
                STANDARD,
                STANDARD,
                "Where the policies of guarded methods stand among other advice; less is further out.");
    }
}
