using System.Globalization;
using CsCheck;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Training.Progress;

public sealed class MetricsCsvTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => _folder["metrics.csv"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Csv_OneStep_HasThePublishedColumnsFirst()
    {
        Write(MetricsCsv.Create(File, Steps.Numbers), 11, 11);
        var lines = System.IO.File.ReadAllLines(File);
        Assert.StartsWith("epoch,itr,loss,mask-A,mask-B,time (ms),", lines[0], StringComparison.Ordinal);
        Assert.Equal("2,0,0.09090909,30,9,100.00,11,0.0003333333333333333,0.04,0.996,64,640.0,0.00,1500000000000", lines[1]);
    }

    [Fact]
    public void Csv_UnderACultureWithDecimalCommas_WritesPoints()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            var commas = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            commas.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = commas;
            Write(MetricsCsv.Create(File, Steps.Numbers), 1, 1);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.All(System.IO.File.ReadAllLines(File), l => Assert.Equal(14, l.Split(',').Length));
    }

    [Fact]
    public void Loss_AnyFloat_ReadsBackBitIdentical() => Gen.Single.Where(float.IsFinite).Sample(
        loss =>
        {
            System.IO.File.Delete(File);
            using (var csv = MetricsCsv.Create(File, Steps.Numbers)) csv.OnStep(Steps.Number(1, loss));
            var cell = System.IO.File.ReadAllLines(File)[1].Split(',')[2];
            Assert.Equal(BitConverter.SingleToInt32Bits(loss), BitConverter.SingleToInt32Bits(float.Parse(cell, CultureInfo.InvariantCulture)));
        },
        iter: 200,
        threads: 1);

    [Fact]
    public void Csv_ResumedAtAnyStepAndTornAnywhereBehindIt_EqualsTheRunThatNeverStopped()
    {
        Write(MetricsCsv.Create(File, Steps.Numbers), 1, 20);
        var whole = System.IO.File.ReadAllBytes(File);
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 400]).Sample(
            (step, torn) =>
            {
                // The rows up to the checkpoint are on disk; of what came after, any number of bytes may be.
                var safe = LengthOfRows(whole, step + 1);
                System.IO.File.WriteAllBytes(File, whole[..Math.Min(safe + torn, whole.Length)]);
                Write(MetricsCsv.Resume(File, Steps.Numbers, step), step + 1, 20);
                Assert.Equal(whole, System.IO.File.ReadAllBytes(File));
            },
            iter: 200,
            threads: 1);
    }

    [Fact]
    public void Resume_WithAnotherProgramsFile_IsRefusedAndTheFileKept()
    {
        System.IO.File.WriteAllText(File, "name,price\nbread,2\n");
        var e = Assert.Throws<JepaException>(() => MetricsCsv.Resume(File, Steps.Numbers, 3));
        Assert.Contains("name,price", e.Message, StringComparison.Ordinal);
        Assert.Equal("name,price\nbread,2\n", System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void Resume_WithAFileFromBeforeOperationsWereCounted_GoesOnWithItsColumns()
    {
        var old = MetricsCsv.Header(Steps.Numbers).Replace(",operations", "", StringComparison.Ordinal);
        System.IO.File.WriteAllText(File, old + "\n1,0,0.5,30,9,100.00,1,0.001,0.04,0.996,64,640.0,0.00\n");
        Write(MetricsCsv.Resume(File, Steps.Numbers, 1), 2, 3);
        Assert.All(System.IO.File.ReadAllLines(File), l => Assert.Equal(13, l.Split(',').Length));
        Assert.Equal(new RunCost(3, 192, TimeSpan.FromSeconds(0.3), null), RunCost.Of(MetricsCsv.Read(File)));
    }

    [Fact]
    public void Cost_OfStepsOfWhichOneWasSkipped_CountsItAsAnAverageOne()
    {
        using (var csv = MetricsCsv.Create(File, Steps.Numbers))
        {
            csv.OnStep(Steps.Number(1));
            csv.OnStep(Steps.Number(2) with { Operations = null });
            csv.OnStep(Steps.Number(3, wait: 0.4));
        }

        Assert.Equal(new RunCost(3, 192, TimeSpan.FromSeconds(0.7), 4.5e12), RunCost.Of(MetricsCsv.Read(File)));
    }

    [Fact]
    public void Resume_WithNoFile_StartsOne()
    {
        Write(MetricsCsv.Resume(File, Steps.Numbers, 3), 4, 5);
        Assert.Equal(3, System.IO.File.ReadAllLines(File).Length);
    }

    [Fact]
    public void Create_OverAnExistingFile_IsRefused()
    {
        System.IO.File.WriteAllText(File, "precious");
        Assert.True(Assert.Throws<JepaException>(() => MetricsCsv.Create(File, Steps.Numbers)).IsUsage);
        Assert.Equal("precious", System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void Rows_AfterASecond_AreInTheFileWithoutBeingAskedFor()
    {
        var clock = new FakeClock();
        using var csv = MetricsCsv.Create(File, Steps.Numbers, clock);
        csv.OnStep(Steps.Number(1));
        Assert.Single(Lines());
        clock.Advance(1.5);
        csv.OnStep(Steps.Number(2));
        Assert.Equal(3, Lines().Length);

        csv.OnStep(Steps.Number(3));
        csv.OnCheckpoint(3);
        Assert.Equal(4, Lines().Length);
    }

    [Fact]
    public void Measures_Resumed_DropsThoseOfThatStepAndLater()
    {
        var path = _folder["measures.csv"];
        using (var csv = MeasuresCsv.Create(path))
        {
            csv.OnMeasures(1, 10, new Dictionary<string, double> { ["rankme"] = 12.25, ["knn"] = 0.5 });
            csv.OnMeasures(2, 20, new Dictionary<string, double> { ["rankme"] = 13 });
        }

        MeasuresCsv.Resume(path, 20).Dispose();
        Assert.Equal(["epoch,step,measure,value", "1,10,rankme,12.25", "1,10,knn,0.5"], System.IO.File.ReadAllLines(path));
    }

    private string[] Lines()
    {
        using var reader = new StreamReader(new FileStream(File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static void Write(MetricsCsv csv, long first, long last)
    {
        using (csv)
        {
            for (var step = first; step <= last; step++) csv.OnStep(Steps.Number(step, loss: 1f / step));
        }
    }

    private static int LengthOfRows(byte[] text, int rows)
    {
        var at = 0;
        for (; rows > 0; rows--) at = Array.IndexOf(text, (byte)'\n', at) + 1;
        return at;
    }
}
