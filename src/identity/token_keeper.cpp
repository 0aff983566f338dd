#include "identity/token_keeper.hpp"

#include <algorithm>

namespace spillway::identity {
namespace {

class TokenCredential final : public CredentialSource {
public:
    explicit TokenCredential(std::shared_ptr<TokenKeeper> keeper) : keeper_(std::move(keeper)) {}
    bool append_auth_header(std::string& out, Wall now) const override {
        return keeper_->append_auth_header(out, now);
    }
    std::uint64_t generation() const noexcept override { return keeper_->generation(); }
    bool renew(std::uint64_t refused) const override { return keeper_->renew(refused); }
    bool renewing() const noexcept override { return keeper_->renewing(); }
    std::string lack(Wall now) const override { return keeper_->lack(now); }

private:
    std::shared_ptr<TokenKeeper> keeper_;
};

}  // namespace

TokenKeeper::TokenKeeper(Fetch fetch, Report report, std::uint64_t seed)
    : fetch_(std::move(fetch)),
      report_(std::move(report)),
      rng_(seed),
      attendant_([this](const std::stop_token& stop) { return turn(stop); }) {}

bool TokenKeeper::append_auth_header(std::string& out, Wall now) const {
    if (now.time_since_epoch().count() >= usable_until_.load(std::memory_order_acquire)) return false;
    line_.append_to(out);
    return true;
}

bool TokenKeeper::renew(std::uint64_t refused) {
    if (generation() != refused) return true;
    {
        const std::lock_guard lock(mutex_);
        if (renewing_.load() || generation() != refused) return true;
        if (!schedule_.refused(wall_now())) return false;
        renewing_.store(true);
    }
    attendant_.wake();
    return true;
}

std::string TokenKeeper::lack(Wall now) const {
    if (now.time_since_epoch().count() < usable_until_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock(mutex_);
    if (!asked_) return "the first token is being asked for";
    return failure_.empty() ? "the token has ended" : failure_;
}

void TokenKeeper::accept(const Token& token, Wall now) {
    const bool renewed = token.value != last_.reveal();
    if (renewed) {
        std::string line;
        spillway::identity::append_auth_header(line, AuthScheme::bearer, token.value);
        (void)line_.set(line);  // its length was looked at
        config::wipe(line);
        last_ = config::Secret(token.value);
    }
    usable_until_.store(last_use(token, now).time_since_epoch().count(), std::memory_order_release);
    if (renewed) generation_.fetch_add(1);
}

Duration TokenKeeper::turn(const std::stop_token& stop) {
    constexpr std::chrono::seconds kLongest{30};  // a suspended machine's clock jumps: look again soon
    {
        const std::lock_guard lock(mutex_);
        if (const Wall now = wall_now(); !schedule_.due(now))
            return std::min<Duration>(kLongest, schedule_.wait(now));
    }
    auto token = fetch_(stop);
    if (stop.stop_requested()) return {};
    if (token && token->value.size() + 64 > PublishedText::kMostBytes) token = fail("the token is too long");
    const Wall now = wall_now();
    const std::lock_guard lock(mutex_);
    if (token) {
        if (!failure_.empty() || !asked_) report_(true, "has a token");
        failure_.clear();
        accept(*token, now);
        schedule_.fetched(*token, now, rng_);
        config::wipe(token->value);
    } else {
        if (failure_ != token.error().message) report_(false, token.error().message);
        failure_ = token.error().message;
        schedule_.failed(now, rng_);
    }
    asked_ = true;
    renewing_.store(false);
    return schedule_.wait(now);
}

std::unique_ptr<CredentialSource> make_token_credential(std::shared_ptr<TokenKeeper> keeper) {
    return std::make_unique<TokenCredential>(std::move(keeper));
}

}  // namespace spillway::identity
