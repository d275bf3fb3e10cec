using System.Globalization;
using Orchestrator.ApiServer;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Serving;

/// <summary>What whoever typed <c>orc serve</c> wants to know next.</summary>
internal sealed class Banner(ServeOptions options, EmbeddedApiServer api)
{
    public void Write(TimeSpan took, bool firstStart, bool hasHosts)
    {
        using var terminal = new Terminal();
        var lines = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"Orchestrator {ProductVersion.Text} is ready ({took.TotalSeconds:0.0} s)"),
            $"  data folder  {options.DataFolder}",
            $"  kubeconfig   {api.AdminKubeconfig}",
            $"  API server   {api.Address.AbsoluteUri.TrimEnd('/')}",
        };
        if (options.ProxyArguments is not null)
        {
            var tls = options.ProxyTlsListen is { } endpoint ? $", {Endpoints.Url("https", endpoint)}" : "";
            lines.Add($"  proxy        {Endpoints.Url("http", options.ProxyListen)}{tls}  (log: {new ProxyFolder(options.DataFolder).LogFile})");
        }

        if (options.Metrics is { } metrics)
        {
            lines.Add($"  metrics      {Endpoints.Url("http", metrics)}/metrics");
        }

        if (firstStart || !hasHosts)
        {
            // Elsewhere than at its usual place the user commands need to be told.
            var prefix = options.DataFolder == DataFolders.Default ? "" : $"export KUBECONFIG={api.AdminKubeconfig}; ";
            lines.Add(hasHosts
                ? $"Next: {prefix}orc apply -f examples/web.yaml --wait"
                : $"Next: {prefix}orc hosts add NAME --endpoint tcp://ADDRESS:2376 --tls-dir FOLDER");
        }

        lines.Add("");
        terminal.Error.Write(string.Join('\n', lines));
    }
}
