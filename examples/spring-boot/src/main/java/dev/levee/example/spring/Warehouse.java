package dev.levee.example.spring;

import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.stereotype.Component;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** Stands for another service. {@code POST /warehouse/down} and {@code /up} break and mend it. */
@Component
@RestController
public class Warehouse {
    private final AtomicInteger asked = new AtomicInteger();
    private volatile boolean down;

    /** Made by Spring. */
    public Warehouse() {}

    /** Breaks it. */
    @PostMapping("/warehouse/down")
    public void breakDown() {
        down = true;
    }

    /** Mends it. */
    @PostMapping("/warehouse/up")
    public void mend() {
        down = false;
    }

    int count(String id) {
        asked.incrementAndGet();
        if (down) {
            throw new IllegalStateException("the warehouse is down");
        }
        return Math.floorMod(id.hashCode(), 100);
    }

    int asked() {
        return asked.get();
    }
}
