using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests.Chaos;

/// <summary>
/// Kills, cuts, freezes, applies and scales in random order. <c>make chaos</c> walks for ten minutes from a new seed each time; CHAOS_SECONDS
/// and CHAOS_SEED say otherwise.
/// </summary>
[Collection<Alone>]
public sealed class ChaosTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Whatever_breaks_in_whatever_order_all_converges_and_no_visitor_notices()
    {
        var (lasts, seed) = (TimeSpan.FromSeconds(Setting("CHAOS_SECONDS", 90)), Setting("CHAOS_SEED", 20260101));
        await using var installation = await Installation.StartAsync();
        var walk = new Walk(installation, seed);
        var rounds = 0;
        try
        {
            await walk.BeginAsync();
            await AtRest(installation, walk);
            await using var invariants = new Invariants(installation);
            await using var visitor = installation.Visit(Walk.Site);
            walk.Breaking = invariants.Break;
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < lasts; rounds++)
            {
                await walk.RoundAsync();
                await walk.HealAsync();
                await AtRest(installation, walk);
                invariants.Rest();
                Assert.All(invariants.Breaches, breach => Assert.Fail(breach));
                await visitor.NoneFailedAsync();
            }

            TestContext.Current.TestOutputHelper!.WriteLine($"{rounds} rounds, {walk.Story.Count} steps, {visitor.Answered} visits");
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException(
                $"in round {rounds + 1} with CHAOS_SEED={seed}: {failure.Message}\n{string.Join('\n', walk.Story)}\n{installation.Log}", failure);
        }
        finally
        {
            await walk.HealAsync();
        }
    }

    /// <summary>
    /// There is just what is wanted: as many Replicas, each with its one container, which runs and answers, and each is asked by the proxy.
    /// </summary>
    private static async Task AtRest(Installation installation, Walk walk)
    {
        await SeeAtRest(installation, Walk.Site, Walk.SiteReplicas);
        if (walk.ChurnReplicas is { } replicas)
        {
            await SeeAtRest(installation, Walk.Churn, replicas);
        }
        else
        {
            await Eventually.See(() => installation.ContainersAsync(Walk.Churn), seen => seen.Count == 0, Limit);
        }
    }

    private static async Task SeeAtRest(Installation installation, string app, int replicas)
    {
        await installation.SeeReady(app, replicas, Limit);
        await Eventually.See(
            async () => string.Join(' ', await DifferencesAsync(installation, app)), differences => differences.Length == 0, Limit);

        // Of those that are there by now: where a host has come back one may move meanwhile.
        var answered = new HashSet<string>();
        await Eventually.See(
            async () =>
            {
                var silent = (await installation.ReplicasAsync(app)).Select(NameOf).Where(name => !answered.Contains(name)).ToList();
                if (silent.Count > 0)
                {
                    answered.Add((await Visitor.OnceAsync(installation.Http, app)).Replica);
                }

                return string.Join(' ', silent);
            },
            silent => silent.Length == 0,
            Limit);
    }

    /// <summary>What is not as it should be, in words.</summary>
    private static async Task<List<string>> DifferencesAsync(Installation installation, string app)
    {
        var (replicas, containers) = (await installation.ReplicasAsync(app), await installation.ContainersAsync(app));
        var differences = new List<string>();
        foreach (var replica in replicas)
        {
            var own = containers.Where(container => container.Labels[Labels.ReplicaUid] == replica["metadata"]!["uid"]!.GetValue<string>()).ToList();
            if (own is not [{ State: "running" }])
            {
                differences.Add($"{NameOf(replica)} has {own.Count} containers ({string.Join(", ", own.Select(container => container.State))});");
            }

            if (await AskedDirectlyAsync(replica) is { } wrong)
            {
                differences.Add($"{NameOf(replica)}: {wrong};");
            }
        }

        var uids = replicas.Select(replica => replica["metadata"]!["uid"]!.GetValue<string>()).ToHashSet();
        differences.AddRange(containers.Where(container => !uids.Contains(container.Labels[Labels.ReplicaUid]))
            .Select(container => $"{container.Name} on {container.Host} is nobody's ({container.State});"));
        return differences;
    }

    /// <returns>Null when it says that it is ready and the replica of that name answers at its address; otherwise what is wrong.</returns>
    private static async Task<string?> AskedDirectlyAsync(JsonNode replica)
    {
        if (replica["status"]?["ready"]?.GetValue<bool>() != true)
        {
            return "not ready";
        }

        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            var page = Page.Read(await http.GetStringAsync(
                new Uri($"http://{replica["status"]!["address"]}:{replica["spec"]!["hostPort"]}/")));
            return page.Replica == NameOf(replica) ? null : $"{page.Replica} answers in its place";
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return $"ready, and does not answer: {failure.Message}";
        }
    }

    private static string NameOf(JsonNode replica) => replica["metadata"]!["name"]!.GetValue<string>();

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : otherwise;
}
