#include <fmt/format.h>

#include <array>
#include <exception>

#include "app/stack_runner.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/client.hpp"

namespace spillway::app::stack {
namespace {

Task<Result<void>> ask(http::Origin& origin, std::string request, Duration timeout) {
    auto up = co_await origin.connect(true);
    if (!up) co_return fail(up.error().message);
    const std::array<std::string_view, 1> pieces{request};
    const auto sent = co_await up->send(pieces, timeout);
    if (!sent) co_return fail(sent.error().message);
    const auto head = co_await up->read_head(timeout);
    if (!head) co_return fail(head.error().message);
    if ((*head)->status != 200) co_return fail(fmt::format("it answers {}", (*head)->status));
    co_return Result<void>();
}

}  // namespace

Result<void> answers(std::uint16_t port, std::string_view path, std::chrono::milliseconds timeout) {
    Loop loop;
    http::OriginOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    options.connect_timeout = timeout;
    http::Origin origin(loop, std::move(options));
    Result<void> answer = fail("it does not answer in time");
    std::string request =
        fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", path, port);
    loop.spawn([&]() -> Task<> {
        answer = co_await ask(origin, std::move(request), timeout);
        loop.stop();
    });
    loop.run_for(timeout * 2);
    return answer;
}

}  // namespace spillway::app::stack
