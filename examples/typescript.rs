//! Prints the TypeScript types of everything that crosses into JavaScript: `cargo xtask types` puts them in their place.
#![allow(missing_docs)]

use muster::app::{
    AppEvent, AppStep, BindFailure, Bindable, CallName, DeviceName, Discovered, DiscoveredDevice,
    ParameterError, TokenHolder,
};
use muster::cloud::{
    Action, BindTokenView, DeviceView, FirmwareView, GatewayView, LogEntry, Operation,
    OperationError, OperationErrorKind, OperationResult, OwnerView, PermitView, ProductView,
    RejectedRow, ReportView, SubDeviceView, UpgradeView, What as LogWhat,
};
use muster::faults::{Armed, Fault, Kept, Kind, On, Rule, Times, When};
use muster::page::{
    FleetCause, FleetCounts, FleetLatencies, FleetLatency, FleetPhase, FleetProblem,
    FleetQuantiles, FleetRoom, FleetRow, FleetRows, FleetState, FleetStatus, LogLine, Next,
    NextWhy,
};
use muster::replay::{
    ReplayCheck, ReplayField, ReplayInput, ReplayMark, ReplayOutput, ReplayPlace,
};
use muster::tool::{
    CipherInput, CipherOutput, CmeiBatch, CmeiBatchInput, CmeiBuildInput, CmeiCheck,
    CredentialMode, CredentialsInput, CredentialsOutput, HandoverOutput, ImeiCheck, NvsPlace,
    Parts, SignInput, SignOutput, ToolStep, WifiInput, WifiOutput,
};
use muster::trace::{
    AppReply, CallResult, Direction, Entry, HttpMessage, Link, MqttPacket, PacketType, Payload,
    StoreAction, Success, Trouble, TroubleReason, What,
};
use muster::{
    Advice, CodecError, Due, Error, Event, Failure, Identity, Instant, Intent, LocalFailure,
    PeerMisbehaved, PlatformName, Rejected, Step, StoreKey, UnixTime, Update, UpdateFailure,
    Warning,
};
use ts_rs::TS;

macro_rules! print_all {
    ($($Type:ty),* $(,)?) => { $( print::<$Type>(); )* };
}

fn print<T: TS>() {
    // A map has what it has. All numbers cross as numbers: those of 64 bits are counts and times, far below 2^53.
    println!(
        "\nexport {}",
        T::decl().replace("bigint", "number").replace("in string]?:", "in string]:")
    );
}

fn main() {
    println!(
        "// Made from the declarations in Rust by `cargo xtask types`. A test compares: do not edit."
    );
    print_all!(
        // The core.
        Instant,
        UnixTime,
        StoreKey,
        PlatformName,
        Identity,
        Step,
        Due,
        Failure,
        LocalFailure,
        CodecError,
        PeerMisbehaved,
        Rejected,
        Error,
        Advice,
        UpdateFailure,
        Update,
        Warning,
        Event,
        Intent,
        // Timelines.
        Direction,
        PacketType,
        Payload,
        MqttPacket,
        TroubleReason,
        Trouble,
        HttpMessage,
        StoreAction,
        Success,
        Kept,
        When,
        Kind,
        On,
        Fault,
        Times,
        Rule,
        Armed,
        Link,
        What,
        Entry,
        NextWhy,
        Next,
        // Replays.
        ReplayInput,
        ReplayOutput,
        ReplayField,
        ReplayPlace,
        ReplayMark,
        ReplayCheck,
        // Fleets.
        FleetState,
        FleetCounts,
        FleetPhase,
        FleetQuantiles,
        FleetLatency,
        FleetLatencies,
        FleetRoom,
        FleetCause,
        FleetStatus,
        FleetRow,
        FleetRows,
        FleetProblem,
        // The owner's app.
        DeviceName,
        CallName,
        ParameterError,
        AppStep,
        BindFailure,
        Bindable,
        DiscoveredDevice,
        Discovered,
        TokenHolder,
        AppEvent,
        AppReply,
        CallResult,
        // Clouds and their operators.
        Action,
        Operation,
        ProductView,
        DeviceView,
        RejectedRow,
        UpgradeView,
        ReportView,
        OwnerView,
        FirmwareView,
        PermitView,
        SubDeviceView,
        GatewayView,
        BindTokenView,
        OperationResult,
        OperationErrorKind,
        OperationError,
        LogWhat,
        LogEntry,
        LogLine,
        // Calculators.
        ToolStep,
        NvsPlace,
        HandoverOutput,
        CipherInput,
        CipherOutput,
        WifiInput,
        WifiOutput,
        SignInput,
        SignOutput,
        CredentialsInput,
        CredentialsOutput,
        CredentialMode,
        CmeiBuildInput,
        CmeiBatchInput,
        Parts,
        CmeiCheck,
        CmeiBatch,
        ImeiCheck,
    );
}
