using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.Testing.Lab;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>Two proxies on two machines behind one address: the machine that users come in by may go, too.</summary>
[Collection<BreakingHosts>]
public sealed class TwoEntrancesTests
{
    private const string App = "web";

    [Fact]
    public async Task When_a_proxy_or_its_machine_goes_the_other_has_the_address()
    {
        var lab = LabDescription.ReadToBreak();
        var address = $"{lab.Gateway[..lab.Gateway.LastIndexOf('.')]}.200";
        await using var installation = await Installation.StartToBreakAsync(hosts: 3, "--address", lab.Gateway);
        await installation.ApplyAsync(Manifests.Web(App, lab.Image("site:v1"), replicas: 3));
        await installation.SeeReady(App, 3);
        await using var first = await EnterAsync(installation, lab.Hosts[0], lab.Hosts[1], address, 100);
        await Eventually.True(() => first.HasAsync(address), TimeSpan.FromSeconds(60));
        await using var second = await EnterAsync(installation, lab.Hosts[1], lab.Hosts[0], address, 99);
        await SeeServedAsync(address);

        await first.KillProxyAsync();
        await Eventually.True(() => second.HasAsync(address), TimeSpan.FromSeconds(30));
        await SeeServedAsync(address);
        Assert.False(await first.HasAsync(address));

        // Back again it leaves the address where it is, and takes it when the other machine goes.
        first.StartProxy();
        await Eventually.True(() => IsServedAsync(lab.Hosts[0].Address), TimeSpan.FromSeconds(60));
        await SeeServedAsync(address);
        Assert.True(await second.HasAsync(address));
        await lab.Hosts[1].WhileAwayAsync("cut", "mend", async () =>
        {
            await Eventually.True(() => first.HasAsync(address), TimeSpan.FromSeconds(30));
            await SeeServedAsync(address);
        });
    }

    private static async Task<Entrance> EnterAsync(Installation installation, LabHost machine, LabHost other, string address, int priority)
    {
        var token = (await Command.RunAsync(
            Orc.Path, ["proxy", "join-token", "--data-folder", installation.DataFolder])).OrThrow().Output;
        return await Entrance.StartAsync(machine, other, address, priority, token);
    }

    /// <summary>Within the time in which neighbours learn where the address is, and then always.</summary>
    private static async Task SeeServedAsync(string address)
    {
        await Eventually.True(() => IsServedAsync(address), TimeSpan.FromSeconds(30));
        for (var i = 0; i < 20; i++)
        {
            Assert.True(await IsServedAsync(address), $"request {i}");
        }
    }

    private static async Task<bool> IsServedAsync(string address)
    {
        // A connection of its own: an old one would be to the machine that is gone.
        using var http = new HttpClient { BaseAddress = new Uri($"http://{address}:{Entrance.Port}"), Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            await Visitor.OnceAsync(http, App);
            return true;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}
