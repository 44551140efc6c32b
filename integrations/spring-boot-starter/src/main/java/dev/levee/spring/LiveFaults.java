package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.policy.Faults;
import java.time.Duration;

/** Faults that change while they are switched off. */
final class LiveFaults extends LivePolicy<Faults> implements Faults {
    LiveFaults(String name, Environment environment, Faults first) {
        super(name, environment, first);
    }

    @Override
    public void switchOn() {
        current().switchOn();
    }

    @Override
    public void switchOn(Duration atMost) {
        current().switchOn(atMost);
    }

    @Override
    public void switchOff() {
        current().switchOff();
    }

    @Override
    public boolean isOn() {
        return current().isOn();
    }
}
