import dev.levee.spring.Guarded;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class Stock {
    @Guarded("inventory")
    @GetMapping("/stock")
    public String stock() {
        return "42 in stock";
    }
}
