using System.Diagnostics;
using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Faults;
using JepaSharp.Studies;
using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Studies;

/// <summary>A whole study on built-in scenes: what is made, what is never made twice, and what a stop leaves.</summary>
public sealed class StudyTests
{
    [Fact]
    public void Study_MadeWhole_LeavesRecordsTablesAndAPageThatNeedsNoOtherFile()
    {
        using var study = new TinyStudy();
        Assert.True(study.Compare() == 0, study.Said);

        var records = study.Opened(r => r.Records);
        Assert.Equal(6, records.Count);
        Assert.All(records.Values.Where(r => r.Variant != Study.Untrained), r =>
        {
            Assert.Equal((14, 56), (r.Steps, r.ImagesSeen));
            Assert.True(r.Operations > 0 && r.Seconds > 0);
            Assert.Equal(["accuracy", "r2"], r.Scores.Select(s => s.Metric));
        });
        Assert.All(records.Values.Where(r => r.Variant == Study.Untrained), r => Assert.Equal((0, 0.0), (r.Steps, r.Operations)));
        Assert.NotEqual(records["two/0"].Operations, records["one/0"].Operations);
        Assert.Equal(
            RunCost.Of(MetricsCsv.Read(Path.Combine(study.Run("one", 1), "metrics.csv"))).Operations!.Value, records["one/1"].Operations!.Value);

        var markdown = File.ReadAllText(Path.Combine(study.Out, "table.md"));
        var mean = records.Values.Where(r => r.Variant == "one").Average(r => r.Scores[0].Value);
        Assert.Contains(FormattableString.Invariant($"| one | 2 | {100 * mean:0.0} ± "), markdown, StringComparison.Ordinal);
        Assert.Contains("| untrained | 2 |", markdown, StringComparison.Ordinal);
        Assert.Equal(4, File.ReadAllLines(Path.Combine(study.Out, "table.csv")).Length);
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(study.Out, "table.json")));
        Assert.Equal(6, json.RootElement.GetProperty("runs").GetArrayLength());

        var page = File.ReadAllText(Path.Combine(study.Out, "study.html"));
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.Contains("mask.num_pred_masks", page, StringComparison.Ordinal);
        Assert.Equal(4, page.Split("<figure class=\"chart\">").Length - 1); // two evaluations against operations and minutes
        Assert.Equal(2 * 2 * 3, page.Split("data:image/png").Length - 1);   // two variants, two images, three pictures of each
        Assert.Equal(4, page.Split("aria-label=\"knn against operations")[1].Split("</figure>")[0].Split("<circle").Length - 1); // a point a run
    }

    [Fact]
    public void Runs_OfABudget_HaveTheirSchedulesLaidOutOverIt()
    {
        using var study = new TinyStudy();
        Assert.Equal(0, study.Compare("--only", "one/0"));
        var options = PretrainOptions.Load(Path.Combine(study.Run("one", 0), "config.yaml")).Optimization;
        Assert.Equal((14, 14), (options.MaxSteps, options.ScheduleSteps));
        Assert.Equal(3, options.Epochs); // six steps each
        var rates = MetricsCsv.Read(Path.Combine(study.Run("one", 0), "metrics.csv")).Select(r => r.LearningRate).ToList();
        Assert.Equal(14, rates.Count);
        Assert.Equal(options.FinalLr, rates[^1], 1e-9);
        Assert.Equal(options.Lr, rates.Max(), 1e-3 * options.Lr); // a tenth of 14 steps of warm-up: the first step is over it
    }

    [Fact]
    public void Study_MadeAgain_MakesNothingTwice()
    {
        using var study = new TinyStudy();
        Assert.Equal(0, study.Compare());
        var before = Stamps(study.Out);
        Assert.Equal(0, study.Compare());
        Assert.Contains("6 of 6 runs are done", study.Said, StringComparison.Ordinal);
        Assert.Equal(before, Stamps(study.Out));
    }

    [Fact]
    public void Records_FromAnotherMachine_CountAsDoneWithoutTheirRuns()
    {
        using var here = new TinyStudy();
        using var there = new TinyStudy();
        Assert.Equal(0, there.Compare("--only", "two/1"));
        // Another processor, and the study's images elsewhere.
        var text = File.ReadAllText(there.Record("two", 1)).Replace("\"processor\": \"", "\"processor\": \"Other ", StringComparison.Ordinal);
        Directory.CreateDirectory(Path.GetDirectoryName(here.Record("two", 1))!);
        File.WriteAllText(here.Record("two", 1), text);
        Assert.True(here.Compare() == 0, here.Said);
        Assert.Contains("1 of 6 runs are done", here.Said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(here.Run("two", 1)));
        Assert.Contains("of 2 machines", File.ReadAllText(Path.Combine(here.Out, "table.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void Records_KeptBesideTheStudy_CountAsDoneUnlessTheyAreOfOthersOrAskedForAgain()
    {
        using var study = new TinyStudy(TinyStudy.Text.Replace("[0, 1]", "[0]", StringComparison.Ordinal));
        Assert.Equal(0, study.Compare("--only", "two/0"));
        var kept = study.Folder["records/study/two.seed-0.json"];
        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
        File.Move(study.Record("two", 0), kept);
        Directory.Delete(study.Out, recursive: true);
        Assert.True(study.Compare() == 0, study.Said);
        Assert.Contains("1 of 3 runs are done", study.Said, StringComparison.Ordinal);
        Assert.Contains("1 of 3 runs are recorded beside the study", study.Said, StringComparison.Ordinal);
        Assert.False(File.Exists(study.Record("two", 0)) || Directory.Exists(study.Run("two", 0)));
        Assert.Contains("| two | 1 |", File.ReadAllText(Path.Combine(study.Out, "table.md")), StringComparison.Ordinal);

        Assert.Equal(0, study.Compare("--again"));
        Assert.True(File.Exists(study.Record("two", 0)));

        Directory.Delete(study.Out, recursive: true);
        study.Write(TinyStudy.Text.Replace("[0, 1]", "[0]", StringComparison.Ordinal)
            .Replace("num_pred_masks: 2", "num_pred_masks: 3", StringComparison.Ordinal));
        Assert.Equal(0, study.Compare("--dry-run"));
        Assert.Contains("1 record beside the study does not count", study.Said, StringComparison.Ordinal);
        Assert.Contains("two/0: mask.num_pred_masks", study.Said, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhoseRecordIsLost_IsEvaluatedAgainAndNotTrained()
    {
        using var study = new TinyStudy();
        Assert.Equal(0, study.Compare("--only", "one/0"));
        var scores = study.Opened(r => r.Records["one/0"].Scores[0].Value);
        var metrics = File.ReadAllText(Path.Combine(study.Run("one", 0), "metrics.csv"));
        File.Delete(study.Record("one", 0));
        Assert.Equal(0, study.Compare("--only", "one/0"));
        Assert.DoesNotContain("training, steps", study.Said, StringComparison.Ordinal);
        Assert.Equal(metrics, File.ReadAllText(Path.Combine(study.Run("one", 0), "metrics.csv")));
        Assert.Equal(scores, study.Opened(r => r.Records["one/0"].Scores[0].Value));
    }

    [Fact]
    public void Study_KilledWhileARunTrains_GoesOnToTheSameBits()
    {
        const string longer = "budget: {steps: 200}";
        var text = TinyStudy.Text.Replace("budget: {steps: 14}", longer, StringComparison.Ordinal).Replace("[0, 1]", "[0]", StringComparison.Ordinal);
        using var whole = new TinyStudy(text);
        using var broken = new TinyStudy(text);
        using (var process = Process.Start(new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "jepa.dll"), "compare", broken.File_, "--out", broken.Out])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!)
        {
            process.ErrorDataReceived += (_, _) => { };
            process.OutputDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            process.BeginOutputReadLine();
            while (RunEvidence.StepsOf(broken.Run("one", 0)) < 20 && !process.HasExited) Thread.Sleep(5);
            process.Kill();
            process.WaitForExit();
        }

        Assert.False(File.Exists(broken.Record("one", 0)), "it was killed too late to show anything");
        Assert.True(broken.Compare() == 0, broken.Said);
        Assert.Contains("one/0: training, steps ", broken.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("one/0: training, steps 1 to", broken.Said, StringComparison.Ordinal);
        Assert.True(whole.Compare() == 0, whole.Said);
        // A process with few steps left to take does not look at its encoder, and says so: measures are no part of the promise.
        RunEvidence Of(TinyStudy study) => RunEvidence.Of(study.Run("one", 0)) with { Measures = "" };
        Assert.Null(Of(whole).DifferenceTo(Of(broken)));
        // Weights are the same to the bit; a probe's sums, over threads that libtorch chooses by the machine's load, to the last digits.
        Assert.Equal(whole.Opened(Found), broken.Opened(Found));

        static Dictionary<string, string> Found(StudyRunner study) => study.Records.ToDictionary(
            p => p.Key, p => FormattableString.Invariant($"{string.Join(' ', p.Value.Scores.Select(s => $"{s.Value:g10}"))}, {p.Value.Operations}"));
    }

    [Fact]
    public void Study_SideBySide_FindsWhatItFindsInTurn()
    {
        var text = TinyStudy.Text.Replace("[0, 1]", "[1]", StringComparison.Ordinal);
        using var turn = new TinyStudy(text);
        using var side = new TinyStudy(text);
        Assert.True(side.Compare("--parallel", "2") == 0, side.Said);
        Assert.Contains("[two/1] ", side.Said, StringComparison.Ordinal);
        Assert.True(turn.Compare() == 0, turn.Said);
        // The same order of images, masks and weights; sums may be taken in another order by another number of threads.
        foreach (var (key, record) in turn.Opened(r => r.Records))
        {
            var other = side.Opened(r => r.Records[key]);
            Assert.Equal((record.Digest, record.Steps, record.Operations), (other.Digest, other.Steps, other.Operations));
            Assert.Equal(record.Scores[1].Value, other.Scores[1].Value, 1e-2);
        }
    }

    [Fact]
    public void DryRun_OfAStudy_SaysThePlanAndItsMinutesAndWritesNothing()
    {
        using var study = new TinyStudy();
        Assert.True(study.Compare("--dry-run") == 0, study.Said);
        Assert.False(Directory.Exists(study.Out));
        Assert.Contains("a short measurement", study.Said, StringComparison.Ordinal);
        Assert.Contains("two/1", study.Said, StringComparison.Ordinal);

        Assert.Equal(0, study.Compare("--only", "one/0"));
        Assert.Equal(0, study.Compare("--dry-run"));
        Assert.Contains("its record", study.Said, StringComparison.Ordinal);
        Assert.Contains("1 finished runs", study.Said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{images: 50}", 12)]
    [InlineData("{minutes: 0.05}", null)]
    [InlineData("{operations: 2e8}", null)]
    public void Study_WithABudgetOfAnyKind_EndsItsSchedules(string budget, int? steps)
    {
        using var study = new TinyStudy(TinyStudy.Text.Replace("{steps: 14}", budget, StringComparison.Ordinal));
        Assert.True(study.Compare("--only", "two/0") == 0, study.Said);
        var record = study.Opened(r => r.Records["two/0"]);
        var options = PretrainOptions.Load(Path.Combine(study.Run("two", 0), "config.yaml")).Optimization;
        Assert.Equal(record.Steps, options.MaxSteps!.Value);
        var last = MetricsCsv.Read(Path.Combine(study.Run("two", 0), "metrics.csv")).Last();
        Assert.Equal(record.Steps, last.Step);
        Assert.Equal(options.FinalLr, last.LearningRate, 1e-7);
        if (steps is { } known) Assert.Equal(known, record.Steps);
        if (budget.Contains("operations", StringComparison.Ordinal)) Assert.Equal(2e8, record.Operations!.Value, 0.2e8);
        if (budget.Contains("minutes", StringComparison.Ordinal))
            Assert.Contains(record.Notes, n => n.Contains("a step took", StringComparison.Ordinal));
    }

    private static List<string> Stamps(string folder) => [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Where(f => Path.GetFileName(f) is not ("study.html" or "table.md" or "table.csv" or "table.json" or ".lock")).Order()
        .Select(f => $"{f} {File.GetLastWriteTimeUtc(f):O} {new FileInfo(f).Length}")];
}
