// A request on a warm keep-alive connection takes no memory from the heap: counted by replacing the functions
// through which C++ and Asio get it. (OpenSSL's own allocation for the key's digest is C's and not counted.)
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>
#include <thread>

#include "base/loop.hpp"
#include "base/sanitizers.hpp"
#include "base/task.hpp"
#include "blocking.hpp"
#include "config/yaml.hpp"
#include "gateway/gateway.hpp"
#include "http/server.hpp"

#if !defined(SPILLWAY_ADDRESS_SANITIZER) && !defined(SPILLWAY_THREAD_SANITIZER)

namespace {
// The hooks below have no other place to count in.
std::atomic<std::uint64_t> allocations{0};  // NOLINT(*-avoid-non-const-global-variables)
thread_local bool counted = true;           // NOLINT(*-avoid-non-const-global-variables)

void* take(std::size_t size) {
    if (counted) allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* const p = std::malloc(size)) return p;  // NOLINT(*-no-malloc,*-owning-memory)
    throw std::bad_alloc();
}
void give_back(void* p) noexcept {
    std::free(p);  // NOLINT(*-no-malloc,*-owning-memory)
}
}  // namespace

void* operator new(std::size_t size) {
    return take(size);
}
void* operator new[](std::size_t size) {
    return take(size);
}
void operator delete(void* p) noexcept {
    give_back(p);
}
void operator delete[](void* p) noexcept {
    give_back(p);
}
void operator delete(void* p, std::size_t) noexcept {
    give_back(p);
}
void operator delete[](void* p, std::size_t) noexcept {
    give_back(p);
}
// Asio's frames and operations come from here.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    if (counted) allocations.fetch_add(1, std::memory_order_relaxed);
    return ::memalign(alignment, size);
}

namespace spillway::gateway {
namespace {

/// Answers as a backend does, on a thread that is not counted.
class Backend {
public:
    Backend() : server_(loop_, {}, [](http::Exchange& x) { return answer(x); }) {
        EXPECT_TRUE(server_.listen(http::Listen{}));
        thread_ = std::thread([this] {
            counted = false;
            loop_.run();
        });
    }
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;
    ~Backend() {
        loop_.stop();
        thread_.join();
    }
    [[nodiscard]] std::uint16_t port() const noexcept { return server_.port(); }

private:
    static Task<void> answer(http::Exchange& exchange) {
        const std::array<http::Field, 3> fields{{{"content-type", "application/json"},
                                                 {"x-ratelimit-remaining-tokens", "100000"},
                                                 {"x-request-id", "0123456789abcdef-0123456789abcdef"}}};
        const std::string text(600, 'a');
        const std::string body =
            R"({"choices":[{"message":{"content":")" + text +
            R"("}}],"usage":{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}})";
        (void)co_await exchange.respond(200, fields, body);
    }

    Loop loop_;
    http::Server server_;
    std::thread thread_;
};

/// One connection that asks and waits.
class Client {
public:
    explicit Client(std::uint16_t port) : socket_(port) {}
    std::string ask(const std::string& request) {
        socket_.write(request);
        std::string answer;
        for (;;) {
            const auto end = answer.find("\r\n\r\n");
            if (end != std::string::npos) {
                const auto at = answer.find("Content-Length: ");
                if (at == std::string::npos) return answer;
                const std::size_t whole = end + 4 + std::stoul(answer.substr(at + 16));
                if (answer.size() >= whole) return answer;
            }
            const std::string piece = socket_.read_some();
            if (piece.empty()) return answer;
            answer += piece;
        }
    }

private:
    test::BlockingSocket socket_;
};

TEST(KeepAlive, TakesNothingFromTheHeap) {
    counted = false;
    const Backend backend;
    const auto log = std::filesystem::temp_directory_path() / "spillway-allocation-test.log";
    const std::string text = "server: {listen: '127.0.0.1:0', threads: 1}\nlog: {access: '" + log.string() +
                             "'}\nclients: [{name: web, key: local-client-key-0001, limits: "
                             "{tokens_per_minute: 1000000000, requests_per_minute: 1000000}}]\n"
                             "prices: {gpt-4o: {prompt: 1, completion: 2}}\n"
                             "backends: [{name: one, url: 'http://127.0.0.1:" +
                             std::to_string(backend.port()) +
                             "', kind: azure, api_key: k, tpm: 100000000}]\n";
    auto loaded = config::load_gateway(text, "test.yaml", config::process_sources());
    ASSERT_TRUE(loaded.value) << config::to_string(loaded.problems);
    auto gateway = Gateway::start(std::move(*loaded.value), telemetry::make_logger(spdlog::level::off));
    ASSERT_TRUE(gateway) << gateway.error().message;
    Client client((*gateway)->port());
    const std::string body =
        R"({"messages":[{"role":"user","content":"Say hello to everyone who is here, please."}],"max_tokens":20})";
    const std::string request =
        "POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"
        "Host: gateway\r\napi-key: local-client-key-0001\r\nContent-Type: "
        "application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(client.ask(request).starts_with("HTTP/1.1 200"));
    constexpr int requests = 2000;
    const std::uint64_t before = allocations.load();
    for (int i = 0; i < requests; ++i) ASSERT_TRUE(client.ask(request).starts_with("HTTP/1.1 200"));
    const std::uint64_t taken = allocations.load() - before;
    // The access log hands over buffers ten times a second; that is for thousands of requests.
    EXPECT_LT(taken, requests / 20) << "allocations in " << requests << " requests";
    std::filesystem::remove(log);
}

}  // namespace
}  // namespace spillway::gateway

#endif
