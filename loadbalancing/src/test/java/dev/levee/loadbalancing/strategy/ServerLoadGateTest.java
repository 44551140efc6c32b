package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;

class ServerLoadGateTest extends GateContract {
    @Override
    protected Gate newGate(Environment environment, OutcomeRule rule) {
        return ServerLoadRecorder.of("server", rule, environment);
    }

    @Override
    protected long held(Gate gate) {
        return ((ServerLoadRecorder) gate).load().inFlight();
    }
}
