using System.Globalization;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.HostAgent.Tests.Engines.Ssh;

/// <summary>With scripts in place of ssh, for what a real one does only when something is wrong.</summary>
public sealed class SshConnectionsTests : IDisposable
{
    /// <summary>Makes what stands for the control socket, unless it is there.</summary>
    private const string LogIn = """
        for word; do case $word in ControlPath=*) control=${word#ControlPath=};; esac; done
        if [ -e "$control" ]; then role=channel; else role=login; fi
        echo $role >>"${0%/*}/roles"
        [ $role = channel ] || [ -e "${0%/*}/closed" ] || >"$control"

        """;

    private readonly TemporaryFolder _folder = new();
    private readonly Kubernetes _nowhere = new(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" });

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (var pid in Started().Where(IsAlive))
        {
            try
            {
                System.Diagnostics.Process.GetProcessById(pid).Kill();
            }
            catch (ArgumentException)
            {
                // It has ended by itself meanwhile.
            }
        }

        _nowhere.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_engine_is_spoken_to_through_ssh_and_no_process_stays()
    {
        await using var stub = await StubEngine.StartAsync(_ => Task.FromResult(false));
        var port = new Uri(stub.Endpoint).Port;
        var ssh = await ScriptAsync($"""
            [ "$1" != -G ] || exec echo 'hostname 192.0.2.7'
            exec 3<>/dev/tcp/127.0.0.1/{port}
            cat <&3 &
            cat >&3
            kill $!
            """);
        using (var engine = await ConnectAsync(ssh, "ssh://deploy@host"))
        {
            Assert.Equal(("20.10.24", "1.41"), (engine.Facts.EngineVersion, engine.Facts.ApiVersion));
            Assert.Equal(EngineFailure.NotFound, (await Assert.ThrowsAsync<EngineException>(() => engine.ListAsync("i", Cancelled))).Failure);

            // What containers publish on, where the endpoint has a name that only ssh knows.
            await Eventually.True(() => Task.FromResult(engine.PeerAddress == "192.0.2.7"));
        }

        await Eventually.True(() => Task.FromResult(!Started().Any(IsAlive)));
    }

    [Fact]
    public async Task What_ssh_says_when_it_fails_is_told()
    {
        var ssh = await ScriptAsync("echo 'deploy@host: Permission denied (publickey).' >&2; exit 255");
        var failure = await Assert.ThrowsAsync<EngineException>(() => ConnectAsync(ssh, "ssh://deploy@refused-once"));

        Assert.Equal(EngineFailure.Ssh, failure.Failure);
        Assert.Contains("lets nobody in", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Also_when_it_fails_before_it_has_read_what_was_sent()
    {
        using var connections = new SshConnections(EngineEndpoint.Parse("ssh://unread"), null, await ScriptAsync("exec <&-; echo 'docker: not found' >&2; exit 127"), TimeProvider.System);
        await using var stream = await connections.OpenAsync(Cancelled);
        var failure = await Assert.ThrowsAsync<EngineException>(async () =>
        {
            // More than a pipe holds.
            await stream.WriteAsync(new byte[1 << 20], Cancelled);
        });

        Assert.Contains("install Docker's client there", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_after_the_first_byte_is_the_end_of_the_stream()
    {
        using var connections = new SshConnections(EngineEndpoint.Parse("ssh://ending"), null, await ScriptAsync("echo words >&2; echo bytes; exit 1"), TimeProvider.System);
        using var reader = new StreamReader(await connections.OpenAsync(Cancelled));

        Assert.Equal("bytes\n", await reader.ReadToEndAsync(Cancelled));
    }

    [Fact]
    public async Task However_much_it_says_beside_it_is_not_held_up()
    {
        using var connections = new SshConnections(EngineEndpoint.Parse("ssh://wordy"), null, await ScriptAsync("head -c 1000000 /dev/zero >&2; echo bytes"), TimeProvider.System);
        using var reader = new StreamReader(await connections.OpenAsync(Cancelled));

        Assert.Equal("bytes\n", await reader.ReadToEndAsync(Cancelled));
    }

    [Fact]
    public async Task A_machine_without_ssh_is_told_what_to_install()
    {
        var failure = await Assert.ThrowsAsync<EngineException>(() => ConnectAsync(_folder["no-ssh"], "ssh://deploy@host-without"));

        Assert.Equal(EngineFailure.Ssh, failure.Failure);
        Assert.Contains("install OpenSSH's client", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Behind each waits a docker on that machine, while its engine hangs: they would fill it up.</summary>
    [Fact]
    public async Task Connections_that_do_not_end_when_they_are_given_up_become_no_more_than_so_many()
    {
        var endpoint = EngineEndpoint.Parse("ssh://hanging");
        using var connections = new SshConnections(endpoint, null, await ScriptAsync($"{LogIn}exec sleep 1000"), TimeProvider.System);
        for (var count = 0; count < SshProcesses.MaxGivenUp; count++)
        {
            await (await connections.OpenAsync(Cancelled)).DisposeAsync();
        }

        var failure = await Assert.ThrowsAsync<EngineException>(() => connections.OpenAsync(Cancelled));
        Assert.Equal(EngineFailure.Unanswered, failure.Failure);
        Assert.Contains("it hangs", failure.Message, StringComparison.Ordinal);

        // The engine moves again: one of them comes to its end.
        await Eventually.True(() => Task.FromResult(Started().Count == SshProcesses.MaxGivenUp));
        System.Diagnostics.Process.GetProcessById(Started()[0]).Kill();
        await Eventually.True(() => OpensAsync(connections));
    }

    [Fact]
    public async Task One_that_never_ends_is_ended_after_an_hour()
    {
        var time = new FakeTimeProvider();
        using var connections = new SshConnections(EngineEndpoint.Parse("ssh://endless"), null, await ScriptAsync("exec sleep 1000"), time);
        await (await connections.OpenAsync(Cancelled)).DisposeAsync();
        await Eventually.True(() => Task.FromResult(Started().Count == 1));
        time.Advance(TimeSpan.FromMinutes(59));
        Assert.True(IsAlive(Started()[0]));

        time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.True(() => Task.FromResult(!IsAlive(Started()[0])));
    }

    [Fact]
    public async Task A_login_whose_own_connection_is_given_up_stays_for_as_long_as_it_carries_others()
    {
        var (endpoint, time) = (EngineEndpoint.Parse("ssh://carrying"), new FakeTimeProvider());
        using var connections = new SshConnections(endpoint, null, await ScriptAsync($"{LogIn}echo bytes; exec sleep 1000"), time);
        var first = await connections.OpenAsync(Cancelled);
        Assert.Equal(1, await first.ReadAsync(new byte[1], Cancelled));
        var channel = await connections.OpenAsync(Cancelled);
        Assert.Equal(1, await channel.ReadAsync(new byte[1], Cancelled));

        await first.DisposeAsync();
        Assert.Equal(0, SshProcesses.Of(endpoint).GivenUp);
        time.Advance(TimeSpan.FromHours(2));
        Assert.All(Started(), pid => Assert.True(IsAlive(pid)));

        await channel.DisposeAsync();
        await Eventually.True(() => Task.FromResult(SshProcesses.Of(endpoint).GivenUp == 2));
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromHours(1));
            return Task.FromResult(!Started().Any(IsAlive));
        });
    }

    [Fact]
    public async Task The_socket_of_the_login_is_in_a_folder_of_our_own_which_goes_with_the_session()
    {
        var connections = new SshConnections(EngineEndpoint.Parse("ssh://place"), null, await ScriptAsync("printf '%s\\n' \"$@\""), TimeProvider.System);
        using var reader = new StreamReader(await connections.OpenAsync(Cancelled));
        var arguments = await reader.ReadToEndAsync(Cancelled);
        var folder = Path.GetDirectoryName(arguments.Split('\n').Single(argument => argument.StartsWith("ControlPath=", StringComparison.Ordinal))["ControlPath=".Length..])!;
        Assert.Equal("700", await World.Lab.RunAsync("stat", "--format", "%a", folder));

        connections.Dispose();
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_refused_login_is_tried_again_after_longer_and_longer_waits_and_an_accepted_one_ends_them()
    {
        var (endpoint, time) = (EngineEndpoint.Parse("ssh://refusing"), new FakeTimeProvider());
        var ssh = await ScriptAsync("[ ! -e \"${0%/*}/accepts\" ] || { echo bytes; exit; }; echo 'refusing: Permission denied (publickey).' >&2; exit 255");
        using var connections = new SshConnections(endpoint, null, ssh, time);
        var tries = 0;
        foreach (var seconds in (int[])[30, 120, 300, 300])
        {
            await TryRefusedAsync();
            time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            var held = await Assert.ThrowsAsync<EngineException>(() => connections.OpenAsync(Cancelled));
            Assert.Equal(EngineFailure.Ssh, held.Failure);
            Assert.Contains($"refused {(tries == 1 ? "once" : $"{tries} times in a row")}, and so as not to be banned there it is tried again at {time.GetUtcNow().AddMilliseconds(1):HH:mm:ss} UTC", held.Message, StringComparison.Ordinal);
            Assert.Equal(tries, Started().Count);
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await File.WriteAllTextAsync(_folder["accepts"], "", Cancelled);
        using (var reader = new StreamReader(await connections.OpenAsync(Cancelled)))
        {
            Assert.Equal("bytes\n", await reader.ReadToEndAsync(Cancelled));
        }

        await Eventually.True(() => Task.FromResult(!IsHeld(endpoint, time)));
        File.Delete(_folder["accepts"]);
        tries = Started().Count;
        await TryRefusedAsync();
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.False(IsHeld(endpoint, time));

        async Task TryRefusedAsync()
        {
            var before = SshLogins.Of(endpoint, null).Refusals;
            using var reader = new StreamReader(await connections.OpenAsync(Cancelled));
            Assert.Contains("lets nobody in", (await Assert.ThrowsAsync<EngineException>(() => reader.ReadToEndAsync(Cancelled))).Message, StringComparison.Ordinal);
            await Eventually.True(() => Task.FromResult(SshLogins.Of(endpoint, null).Refusals == before + 1));
            tries++;
        }
    }

    [Fact]
    public async Task What_fails_otherwise_than_by_a_refusal_is_tried_again_at_once()
    {
        using var connections = new SshConnections(
            EngineEndpoint.Parse("ssh://down"), null, await ScriptAsync("echo 'ssh: connect to host down port 22: Connection refused' >&2; exit 255"), new FakeTimeProvider());
        for (var count = 1; count <= 4; count++)
        {
            using var reader = new StreamReader(await connections.OpenAsync(Cancelled));
            await Assert.ThrowsAsync<EngineException>(() => reader.ReadToEndAsync(Cancelled));
            Assert.Equal(count, Started().Count);
        }
    }

    [Fact]
    public async Task A_machine_that_is_away_after_a_refusal_is_tried_again_at_once()
    {
        var (endpoint, time) = (EngineEndpoint.Parse("ssh://refusing-then-down"), new FakeTimeProvider());
        var ssh = await ScriptAsync("[ -e \"${0%/*}/down\" ] && words='Connection refused' || words='Permission denied (publickey).'; echo \"$words\" >&2; exit 255");
        using var connections = new SshConnections(endpoint, null, ssh, time);
        await FailAsync();
        await Eventually.True(() => Task.FromResult(IsHeld(endpoint, time)));
        await File.WriteAllTextAsync(_folder["down"], "", Cancelled);
        time.Advance(TimeSpan.FromSeconds(30));

        await FailAsync();
        await Eventually.True(() => Task.FromResult(!IsHeld(endpoint, time)));

        async Task FailAsync()
        {
            using var reader = new StreamReader(await connections.OpenAsync(Cancelled));
            await Assert.ThrowsAsync<EngineException>(() => reader.ReadToEndAsync(Cancelled));
        }
    }

    [Fact]
    public async Task Many_at_once_are_channels_of_a_few_logins_of_which_no_more_than_three_begin_at_a_time()
    {
        await File.WriteAllTextAsync(_folder["closed"], "", Cancelled);
        var ssh = await ScriptAsync($"{LogIn}[ $role = channel ] || {{ while [ -e \"${{0%/*}}/closed\" ]; do sleep 0.05; done; >\"$control\"; }}; exec cat");
        using var connections = new SshConnections(EngineEndpoint.Parse("ssh://busy"), null, ssh, TimeProvider.System);

        var opening = Enumerable.Range(0, SshConnections.Most).Select(_ => connections.OpenAsync(Cancelled)).ToList();
        await Eventually.True(() => Task.FromResult(Roles().Count == SshLogins.AtATime));
        Assert.Equal(SshLogins.AtATime, opening.Count(one => one.IsCompleted));
        File.Delete(_folder["closed"]);

        var streams = await Task.WhenAll(opening);
        await Eventually.True(() => Task.FromResult(Roles().Count == SshConnections.Most));
        Assert.Equal(SshConnections.Most / 8, Roles().Count(role => role == "login"));
        foreach (var stream in streams)
        {
            await stream.DisposeAsync();
        }

        await Eventually.True(() => Task.FromResult(!Started().Any(IsAlive)));
    }

    /// <summary>A server that is set to fewer than is usual (<c>MaxSessions</c>): ssh makes a connection of its own then, and the next are to be channels of that.</summary>
    [Fact]
    public async Task Where_a_server_takes_fewer_channels_a_login_has_no_more_than_these()
    {
        var ssh = await ScriptAsync($$"""
            {{LogIn}}
            [ $role = login ] || [ $(grep -c channel "${0%/*}/roles") -lt 3 ] || echo 'mux_client_request_session: session request failed: Session open refused by peer' >&2
            echo bytes
            exec cat
            """);
        using var connections = new SshConnections(EngineEndpoint.Parse("ssh://narrow"), null, ssh, TimeProvider.System);
        var streams = new List<Stream>();
        for (var count = 0; count < 4; count++)
        {
            streams.Add(await connections.OpenAsync(Cancelled));
            Assert.Equal(1, await streams[^1].ReadAsync(new byte[1], Cancelled));
        }

        Assert.Equal(["login", "channel", "channel", "channel"], Roles());
        await Eventually.True(async () =>
        {
            streams.Add(await connections.OpenAsync(Cancelled));
            Assert.Equal(1, await streams[^1].ReadAsync(new byte[1], Cancelled));
            return Roles()[^1] == "login";
        });
        foreach (var stream in streams)
        {
            await stream.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_folder_that_a_cleaner_of_temporary_files_has_been_at_is_made_anew()
    {
        using var connections = new SshConnections(
            EngineEndpoint.Parse("ssh://cleaned"), null, await ScriptAsync($"{LogIn}printf '%s\\n' \"$control\"; exec cat"), TimeProvider.System);
        await using var first = await connections.OpenAsync(Cancelled);
        var control = await new StreamReader(first).ReadLineAsync(Cancelled);
        File.Delete(Path.Combine(Path.GetDirectoryName(control)!, "lock"));

        await using var second = await connections.OpenAsync(Cancelled);
        var next = await new StreamReader(second).ReadLineAsync(Cancelled);

        Assert.NotEqual(Path.GetDirectoryName(control), Path.GetDirectoryName(next));
        Assert.Equal(["login", "login"], Roles());
        Assert.False(Directory.Exists(Path.GetDirectoryName(control)));
    }

    private static bool IsHeld(EngineEndpoint endpoint, TimeProvider time) => SshLogins.Of(endpoint, null).IsHeld(time);

    private List<string> Roles() => File.Exists(_folder["roles"]) ? [.. File.ReadAllLines(_folder["roles"])] : [];

    private static async Task<bool> OpensAsync(SshConnections connections)
    {
        try
        {
            await (await connections.OpenAsync(Cancelled)).DisposeAsync();
            return true;
        }
        catch (EngineException)
        {
            return false;
        }
    }

    private static bool IsAlive(int pid)
    {
        try
        {
            return !File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].StartsWith(" Z", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It has ended, perhaps while it was looked at.
            return false;
        }
    }

    private Task<IEngine> ConnectAsync(string ssh, string endpoint) => new EngineConnector(_nowhere, TimeProvider.System, ssh).ConnectAsync(
        new DockerHost { Metadata = new V1ObjectMeta { Name = "by-ssh" }, Spec = new DockerHostSpec { Endpoint = endpoint } },
        new EnginePipeline("by-ssh", TimeProvider.System),
        Cancelled);

    private List<int> Started() => !File.Exists(_folder["pids"]) ? []
        : [.. File.ReadAllLines(_folder["pids"]).Select(line => int.Parse(line, CultureInfo.InvariantCulture))];

    private async Task<string> ScriptAsync(string body)
    {
        // By another process: what this one has open for writing, a process that another test starts meanwhile has too, and cannot be run.
        await File.WriteAllTextAsync(_folder["script"], $"#!/bin/bash\necho $$ >>{_folder["pids"]}\n{body}\n");
        await World.Lab.RunAsync("install", "--mode=755", _folder["script"], _folder["ssh"]);
        return _folder["ssh"];
    }
}
