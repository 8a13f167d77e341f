using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;

try
{
    StandardDescriptors.FillGaps();
    using var utf8 = WindowsConsole.SpeakUtf8();
    RuntimeTuning.Apply();
    if (args is [AmxTrial.Argument]) return AmxTrial.Compare() is null ? 0 : 1;
    using var stop = StopSignals.Register();
    return CommandLine.Run(args, Terminal.OfProcess(), stop);
}
#pragma warning disable CA1031 // where not even the first steps can be made, for want of memory, threads or descriptors
catch (Exception e)
#pragma warning restore CA1031
{
    return Failure.AtTheStart(e);
}
