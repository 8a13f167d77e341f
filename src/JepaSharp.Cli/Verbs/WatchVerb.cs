using System.CommandLine;
using System.Globalization;
using System.Net;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Watching;
using JepaSharp.Reports;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa watch</c>: runs as pages in a browser, while they go on.</summary>
internal sealed class WatchVerb : Verb
{
    private const int UsualPort = 8410, LargestPort = 65535;

    private readonly Argument<string> _runs = new("RUNS") { Description = "A run folder, or a folder that holds some." };
    private readonly Option<int> _port = new("--port")
    {
        Description = "The port to listen at; 0 for any that is free.",
        DefaultValueFactory = _ => UsualPort,
        HelpName = "N",
    };
    private readonly Option<string> _host = new("--host")
    {
        Description = "The address to listen at. Without it this machine alone can look; 0.0.0.0 lets everybody who reaches it look, unasked for a "
            + "password.",
        DefaultValueFactory = _ => "127.0.0.1",
        HelpName = "ADDRESS",
    };
    private readonly Option<double> _every = new("--every")
    {
        Description = "Seconds between two looks at the folders.",
        DefaultValueFactory = _ => 3,
        HelpName = "SECONDS",
    };
    private readonly Option<bool> _withoutPictures = new("--no-pictures")
    {
        Description = "Leaves out masks, feature maps and neighbours, which take a core for some seconds at each checkpoint that is looked at.",
    };

    public WatchVerb()
        : base("watch", "Shows runs in a browser while they go on: curves, masks, features, warnings, the time left, runs side by side.")
    {
        Add(_runs);
        foreach (var option in (Option[])[_port, _host, _every, _withoutPictures]) Add(option);
        _port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > LargestPort) result.AddError($"--port: expected a number from 0 to {LargestPort}.");
        });
        _every.Validators.Add(result =>
        {
            if (!(result.GetValueOrDefault<double>() is >= 0.1 and <= 3600)) result.AddError("--every: expected seconds from 0.1 to 3600.");
        });
        _host.Validators.Add(result =>
        {
            if (AddressOf(result.GetValueOrDefault<string>() ?? "") is null)
                result.AddError($"--host {result.GetValueOrDefault<string>()}: expected an address of this machine, such as 127.0.0.1 or 0.0.0.0.");
        });
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var report = new LiveReport(arguments.GetValue(_runs)!);
        var address = AddressOf(arguments.GetValue(_host)!)!;
        TorchSharp.torch.set_num_threads(1); // beside a run, which wants the cores
        var pictures = arguments.GetValue(_withoutPictures) ? null : new PictureDrawer(stop.Token);
        var pages = new LivePages(report, pictures, TimeSpan.FromSeconds(arguments.GetValue(_every)));
        using var server = PageServer.Start(address, arguments.GetValue(_port), pages.Answer);
        var count = report.Names.Count;
        var what = report.IsOneRun ? report.Folder : $"{count} run{(count == 1 ? "" : "s")} in {report.Folder}";
        if (!IPAddress.IsLoopback(address))
            terminal.Error.WriteLine("note: everybody who reaches this machine can look at the runs: no password is asked for.");
        var shown = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? Dns.GetHostName() : $"{new IPEndPoint(address, 0)}"[..^2];
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: http://{shown}:{server.Port}/ (Ctrl-C ends this)"));
        server.ServeAsync(stop.Token).GetAwaiter().GetResult();
        return stop.ExitCode;
    }

    private static IPAddress? AddressOf(string host) =>
        host == "localhost" ? IPAddress.Loopback : IPAddress.TryParse(host, out var address) ? address : null;
}
