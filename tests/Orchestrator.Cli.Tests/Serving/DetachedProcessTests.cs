using Orchestrator.Cli.Serving;

namespace Orchestrator.Cli.Tests.Serving;

public sealed class DetachedProcessTests
{
    [Fact]
    public async Task It_has_its_arguments_environment_session_and_log_and_no_input()
    {
        using var folder = new TemporaryFolder();
        const string script = "echo \"$1|$ADDED|$(ps -o sid= -p $$ | tr -d ' ')=$$|$(cat | wc -c)\"; trap -p; echo oops >&2";

        var pid = DetachedProcess.Start(
            "/bin/bash", ["bash", "-c", script, "bash", "a b ü"], new Dictionary<string, string> { ["ADDED"] = "yes" }, folder["log"]);

        Assert.Equal(pid, Native.WaitPid(pid, out var status, 0));
        Assert.Equal(0, status);
        Assert.Equal($"a b ü|yes|{pid}={pid}|0\noops\n", await File.ReadAllTextAsync(folder["log"], TestContext.Current.CancellationToken));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["log"]));
    }

    [Fact]
    public void What_is_not_there_is_told() =>
        Assert.Throws<System.ComponentModel.Win32Exception>(() => DetachedProcess.Start("/no/such/program", ["x"], new Dictionary<string, string>(), "/dev/null"));
}
