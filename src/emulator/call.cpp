#include "emulator/call.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/wait_traits.hpp>
#include <limits>

#include "emulator/azure_error.hpp"
#include "emulator/azure_head.hpp"
#include "emulator/completion.hpp"
#include "emulator/pace.hpp"
#include "emulator/request.hpp"
#include "emulator/resource.hpp"
#include "emulator/target.hpp"
#include "emulator/wire.hpp"

namespace spillway::emulator {

namespace {
using Clock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, asio::io_context::executor_type>;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t most_bytes_at_once = 64 * 1024;
constexpr std::string_view broken = "The server had an error while processing your request. Sorry about that!";
}  // namespace

class Call {
public:
    Call(Resource& resource, http::Exchange& exchange)
        : resource_(resource),
          x_(exchange),
          counters_(resource.counters_),
          timer_(exchange.context().get_executor()),
          rng_(resource.rng_()),
          target_(read_target(exchange.request().target)),
          apim_id_(random_uuid(rng_)),
          began_(mono_now()) {
        ++counters_.requests;
        ++counters_.active;
        x_.on_gone([this] { timer_.cancel(); });
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
        x_.on_gone({});
        --counters_.active;
        if (!ended_) ++counters_.cancelled;
    }

    asio::awaitable<void> run();

private:
    /// Until `when`, or the client leaves: then false.
    asio::awaitable<bool> sleep_until(Mono when);
    asio::awaitable<void> respond(unsigned status, std::string body, HeadFacts facts = {});
    asio::awaitable<void> refuse(ErrorAnswer error, HeadFacts facts = {}) {
        return respond(error.status, std::move(error.body), facts);
    }
    asio::awaitable<void> hang();
    asio::awaitable<void> fail_with_status();
    asio::awaitable<void> list_models();
    asio::awaitable<void> stored_response();
    asio::awaitable<void> create();
    asio::awaitable<void> admit_and_answer(Deployment& deployment, ModelRequest& request);
    asio::awaitable<void> embed(Deployment& deployment, const ModelRequest& request);
    asio::awaitable<void> answer(Deployment& deployment, ModelRequest& request);
    asio::awaitable<void> answer_whole(const AnswerWriter& writer, Pace pace);
    asio::awaitable<void> answer_streamed(AnswerWriter& writer, Pace pace);
    asio::awaitable<bool> break_stream(AnswerWriter& writer);
    [[nodiscard]] AnswerMeta make_meta(const ModelRequest& request, const Deployment& deployment, bool tool);
    [[nodiscard]] Pace make_pace(const Deployment& deployment);
    [[nodiscard]] HeadFacts model_facts() const;
    [[nodiscard]] std::string head(HeadFacts facts);
    [[nodiscard]] bool fault_is(FaultKind kind) const noexcept { return fault_ && fault_->kind == kind; }
    void end(std::uint64_t& counter) {
        ended_ = true;
        ++counter;
    }

    Resource& resource_;
    http::Exchange& x_;
    ResourceCounters& counters_;
    Timer timer_;
    Rng rng_;
    Target target_;
    std::string apim_id_;
    std::string request_id_;
    std::string_view session_;
    Mono began_;
    std::optional<Fault> fault_;
    QuotaDecision quota_;
    std::size_t sent_tokens_ = 0;  // of one choice
    bool ended_ = false;
};

asio::awaitable<bool> Call::sleep_until(Mono when) {
    if (x_.client_gone()) co_return false;
    if (mono_now() >= when) co_return true;
    timer_.expires_at(std::chrono::time_point_cast<Clock::duration>(when));
    (void)co_await timer_.async_wait(as_values);
    co_return !x_.client_gone();
}

std::string Call::head(HeadFacts facts) {
    facts.date = resource_.date();
    facts.apim_request_id = apim_id_;
    facts.client_request_id = x_.request().fields.get("x-ms-client-request-id");
    facts.region = resource_.config_.region;
    if (fault_ && !fault_->headers.empty()) facts.replaced = &fault_->headers;
    return azure_head(facts);
}

/// What a head tells once a model has been at work.
HeadFacts Call::model_facts() const {
    HeadFacts facts;
    facts.request_id = request_id_;
    facts.session = session_;
    facts.quota = &quota_;
    return facts;
}

asio::awaitable<void> Call::respond(unsigned status, std::string body, HeadFacts facts) {
    x_.start(status, head(facts), body.size());
    if (!co_await x_.finish(body)) co_return;
    end(status < 300 ? counters_.served : status == 429 ? counters_.throttled : counters_.errors);
}

asio::awaitable<void> Call::run() {
    std::string deployment = target_.deployment;
    std::optional<Result<ModelRequest>> request;
    if (target_.kind == Target::Kind::create && x_.request().method == "POST") {
        request = read_request(target_.operation, x_.body());
        if (deployment.empty() && *request) deployment = (*request)->model;
    }
    const bool stream = request && *request && (*request)->stream;
    fault_ = resource_.faults_.meet(deployment, stream, mono_now(), resource_.rng_);
    if (fault_is(FaultKind::refuse)) {
        end(counters_.errors);
        x_.abort();
        co_return;
    }
    if (fault_is(FaultKind::hang)) co_return co_await hang();
    if (fault_is(FaultKind::status)) co_return co_await fail_with_status();

    if (!resource_.key_is_good(x_.request())) co_return co_await refuse(wrong_key());
    if (target_.kind == Target::Kind::unknown || (!target_.v1 && !target_.has_version()))
        co_return co_await refuse(no_resource());
    if (target_.kind == Target::Kind::models) co_return co_await list_models();
    if (target_.kind == Target::Kind::response) co_return co_await stored_response();
    if (!request) co_return co_await refuse(wrong_method());
    Deployment* const found = resource_.find(deployment);
    // Without a readable body there is no model to look for.
    if (found == nullptr && (*request || !target_.deployment.empty()))
        co_return co_await refuse(no_deployment());
    if (!*request) co_return co_await refuse(bad_request(request->error().message));
    if (!found->model.can(target_.operation))
        co_return co_await refuse(wrong_model(target_.operation, found->config.model));
    co_await admit_and_answer(*found, **request);
}

asio::awaitable<void> Call::hang() {
    while (co_await sleep_until(mono_now() + std::chrono::hours(1))) {
    }
}

asio::awaitable<void> Call::fail_with_status() {
    HeadFacts facts;
    ErrorAnswer error = status_error(fault_->status, fault_->message);
    if (fault_->retry_after) {
        facts.retry_after = from_seconds(*fault_->retry_after);
        if (fault_->status == 429 && fault_->message.empty())
            error = throttled(target_.operation, target_.api_version, Limit::tokens,
                              whole_seconds(*facts.retry_after));
    }
    co_await refuse(std::move(error), facts);
}

asio::awaitable<void> Call::list_models() {
    if (x_.request().method != "GET") co_return co_await refuse(wrong_method());
    std::string list = resource_.models_json(target_.id);
    if (list.empty()) co_return co_await refuse(no_deployment());
    co_await respond(200, std::move(list));
}

asio::awaitable<void> Call::stored_response() {
    const auto found = resource_.responses_.find(target_.id);
    if (found == resource_.responses_.end()) co_return co_await refuse(no_response(target_.id, false));
    if (x_.request().method == "GET") co_return co_await respond(200, found->second);
    if (x_.request().method != "DELETE") co_return co_await refuse(wrong_method());
    resource_.responses_.erase(found);
    co_await respond(200, "{\"id\":\"" + target_.id + "\",\"object\":\"response\",\"deleted\":true}");
}

asio::awaitable<void> Call::admit_and_answer(Deployment& deployment, ModelRequest& request) {
    if (!request.previous_response_id.empty() &&
        !resource_.responses_.contains(request.previous_response_id))
        co_return co_await refuse(no_response(request.previous_response_id, true));
    const Mono now = mono_now();
    const std::size_t cached = resource_.prefixes_.use(request.prefixes, deployment.number, now);
    const bool has_output = target_.operation != Operation::embeddings;
    quota_ = deployment.quota.admit({.prompt_chars = request.prompt_chars,
                                     .prompt_tokens = request.prompt_tokens,
                                     .cached_tokens = cached,
                                     .max_tokens = request.max_tokens,
                                     .best_of = request.best_of,
                                     .has_output = has_output},
                                    now);
    if (!quota_.admitted()) {
        HeadFacts facts;
        facts.quota = &quota_;
        facts.retry_after = quota_.retry_after;
        co_return co_await refuse(throttled(target_.operation, target_.api_version, quota_.limit,
                                            whole_seconds(quota_.retry_after)),
                                  facts);
    }
    request_id_ = random_uuid(rng_);
    session_ = deployment.session;
    request.cached_tokens = cached;
    if (request.filtered)
        co_await refuse(prompt_filtered(), model_facts());
    else if (has_output)
        co_await answer(deployment, request);
    else
        co_await embed(deployment, request);
    const std::uint64_t actual = request.prompt_tokens - cached + sent_tokens_ * request.choices;
    deployment.quota.finish(quota_.charged, actual, mono_now());
    counters_.tokens_out += sent_tokens_ * request.choices;
}

asio::awaitable<void> Call::embed(Deployment& deployment, const ModelRequest& request) {
    const Pace pace = make_pace(deployment);
    std::string body = embeddings_body(request, deployment.model.name, deployment.model.dimensions);
    if (!co_await sleep_until(began_ + pace.first())) co_return;
    counters_.tokens_in += request.prompt_tokens;
    co_await respond(200, std::move(body), model_facts());
}

Pace Call::make_pace(const Deployment& deployment) {
    config::LatencyConfig latency = deployment.config.latency;
    if (fault_is(FaultKind::slow)) {
        latency.ttft = from_seconds(fault_->ttft);
        latency.ttft_jitter = {};
        latency.tokens_per_second = fault_->tokens_per_second;
    }
    return {latency, Rng(rng_())};
}

AnswerMeta Call::make_meta(const ModelRequest& request, const Deployment& deployment, bool tool) {
    AnswerMeta meta;
    if (request.operation == Operation::responses) {
        meta.id = random_id("resp_", 48, rng_);
        meta.item_id = random_id(tool ? "fc_" : "msg_", 48, rng_);
    } else {
        meta.id = random_id(request.operation == Operation::chat ? "chatcmpl-" : "cmpl-", 29, rng_);
    }
    if (tool) meta.call_id = random_id("call_", 24, rng_);
    meta.model = deployment.model.name;
    meta.created = std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count();
    return meta;
}

asio::awaitable<void> Call::answer(Deployment& deployment, ModelRequest& request) {
    Completion completion = complete(request);
    AnswerMeta meta = make_meta(request, deployment, completion.is_tool());
    meta.usage = {request.prompt_tokens, request.cached_tokens, completion.tokens * request.choices};
    counters_.tokens_in += request.prompt_tokens;
    counters_.tokens_cached += request.cached_tokens;
    const std::string id = meta.id;
    const std::size_t tokens = completion.tokens;
    const auto writer = make_writer(request, std::move(completion), std::move(meta));
    if (request.operation == Operation::responses && request.store)
        resource_.store_response(id, writer->whole());
    if (request.stream)
        co_await answer_streamed(*writer, make_pace(deployment));
    else
        co_await answer_whole(*writer, make_pace(deployment));
    if (ended_ && sent_tokens_ == writer->tokens()) sent_tokens_ = tokens;  // a tool's name counts, too
}

asio::awaitable<void> Call::answer_whole(const AnswerWriter& writer, Pace pace) {
    const std::string body = writer.whole();
    for (std::size_t i = 1; i < writer.tokens(); ++i) pace.advance();
    if (!co_await sleep_until(began_ + pace.due())) co_return;
    if (fault_is(FaultKind::cut)) {
        x_.start(200, head(model_facts()), body.size());
        if (co_await x_.write(std::string_view(body).substr(0, body.size() / 2))) end(counters_.errors);
        x_.abort();
        co_return;
    }
    co_await respond(200, body, model_facts());
    if (ended_) sent_tokens_ = writer.tokens();
}

/// Ends a stream as its fault says.
asio::awaitable<bool> Call::break_stream(AnswerWriter& writer) {
    end(counters_.errors);
    if (fault_is(FaultKind::cut)) {
        x_.abort();
        co_return true;
    }
    std::string event;
    writer.error(fault_->message.empty() ? broken : fault_->message, "server_error", event);
    co_return co_await x_.finish(event);
}

asio::awaitable<void> Call::answer_streamed(AnswerWriter& writer, Pace pace) {
    const bool breaks = fault_is(FaultKind::cut) || fault_is(FaultKind::stream_error);
    const std::size_t all = writer.tokens();
    const std::size_t last = breaks ? std::min(fault_->after_chunks, all) : all;
    HeadFacts facts = model_facts();
    facts.content_type = "text/event-stream; charset=utf-8";
    x_.start(200, head(facts), std::nullopt);
    std::string out;
    writer.preamble(out);
    // The prompt's filter is through before the model has its first token.
    if (!co_await sleep_until(began_ + pace.first() / 2) || !co_await x_.write(out)) co_return;
    out.clear();
    while (sent_tokens_ < last) {
        if (!co_await sleep_until(began_ + pace.due())) co_return;
        const Duration passed = mono_now() - began_;
        out.clear();
        std::size_t next = sent_tokens_;
        while (next < last && pace.due() <= passed && out.size() < most_bytes_at_once) {
            writer.token(next++, out);
            pace.advance();
        }
        if (next == all && !breaks) break;
        if (!co_await x_.write(out)) co_return;
        sent_tokens_ = next;
        out.clear();
    }
    if (breaks) {
        (void)co_await break_stream(writer);
        co_return;
    }
    writer.end(out);
    if (!co_await x_.finish(out)) co_return;
    sent_tokens_ = all;
    end(counters_.served);
}

asio::awaitable<void> serve_call(std::shared_ptr<Resource> resource, http::Exchange& exchange) {
    Call call(*resource, exchange);
    co_await call.run();
}

}  // namespace spillway::emulator
