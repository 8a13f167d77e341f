using JepaSharp.Reports;
using JepaSharp.Tests.Monitoring;

namespace JepaSharp.Tests.Cli.Watching;

/// <summary>Run folders made of text alone, as far as pages read them.</summary>
internal static class RunFiles
{
    private const string MetricsHead = "epoch,itr,loss,mask-A,mask-B,time (ms),step,lr,wd,momentum,images,images_per_second,wait_ms,operations\n";
    private const string MeasuresHead = "epoch,step,measure,value\n";

    /// <summary>A run of 8 steps an epoch and three epochs that has taken some of them.</summary>
    public static void Write(string folder, int steps, string? warning = null)
    {
        Directory.CreateDirectory(folder);
        string In(string name) => Path.Combine(folder, name);
        File.WriteAllText(In("config.yaml"), TinyRun.Options.ToYaml());
        RunMachine.Here("cpu", "fp32", "rendered scenes", 64).Write(folder);
        var rows = Enumerable.Range(1, steps).Select(step => FormattableString.Invariant(
            $"{((step - 1) / 8) + 1},{(step - 1) % 8},{1.0 / step:0.0000},5,4,1000,{step},0.001,0.04,0.996,8,8,1,1000\n"));
        File.WriteAllText(In("metrics.csv"), MetricsHead + string.Concat(rows));
        File.WriteAllText(In("measures.csv"), MeasuresHead + "0,0,knn_accuracy,0.25\n1,8,knn_accuracy,0.5\n");
        if (warning is not null) File.WriteAllText(In("warnings.txt"), warning + "\n");
    }

    /// <summary>Makes all files of a run as old as if it had last written then.</summary>
    public static void Age(string folder, TimeSpan age)
    {
        foreach (var file in Directory.EnumerateFiles(folder)) File.SetLastWriteTimeUtc(file, DateTime.UtcNow - age);
    }
}
