package dev.levee.example.spring;

import dev.levee.spring.Guarded;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** Products, from a warehouse that may be slow or down. */
@RestController
public class Products {
    private final Warehouse warehouse;

    /**
     * Made by Spring.
     *
     * @param warehouse what is asked
     */
    public Products(Warehouse warehouse) {
        this.warehouse = warehouse;
    }

    /**
     * Returns how many of a product there are.
     *
     * @param id the product
     * @return text for people
     */
    @Guarded(value = "inventory", fallback = "unknown")
    @GetMapping("/products/{id}")
    public String product(@PathVariable String id) {
        return id + ": " + warehouse.count(id) + " in stock";
    }

    /** The answer while the warehouse has none. */
    String unknown(String id) {
        return id + ": ask again later";
    }
}
