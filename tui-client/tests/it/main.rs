//! The client from outside: messages in and state out, screens, the real binary against the real
//! server.

mod plain;
mod property;
mod scene;
mod screen;
mod served;
mod terminal;
mod update;
