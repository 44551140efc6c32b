package dev.levee.http;

import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.Candidates;
import java.util.function.IntPredicate;

/** The first endpoint that may be used, in the order of the ids: so that a test knows which one is picked. */
public final class FirstFirst implements BalancingStrategy {
    @Override
    public Picker over(Candidates candidates) {
        int size = candidates.size();
        return new Picker() {
            @Override
            public int pick(long hash) {
                return 0;
            }

            @Override
            public int pick(long hash, IntPredicate eligible) {
                int index = 0;
                while (index < size - 1 && !eligible.test(index)) {
                    index++;
                }
                return index;
            }
        };
    }

    @Override
    public boolean usesKey() {
        return false;
    }
}
